import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { RawSocket, UdpPeer } from '../harness/announces.ts'
import { Tracker, until } from '../harness/index.ts'

/** `scripts/nightly` comes with 20,000 where the system lets one process have so many. */
const crowd = process.env['ELDERNODE_ROUNDS'] === undefined ? 2000 : 18_000
const perAddress = 400

let tracker: Tracker
let sockets: Socket[] = []

beforeEach(async () => {
  tracker = new Tracker({ 'limits.sockets': 30_000, 'limits.requestsPerAddress': 20, members: '127.0.0.1' })
  await tracker.start()
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await tracker.stop()
})

const figure = async (name: string): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${tracker.port}/metrics`)).text()
  return Number(new RegExp(`^eldernode_tracker_${name} (\\d+)$`, 'm').exec(metrics)?.[1])
}

/** An upgrade from an address of its own share, read only when somebody listens. */
const upgrade = (index: number): Socket => {
  const socket = connect({
    port: tracker.port,
    host: '127.0.0.1',
    localAddress: `127.0.1.${1 + Math.floor(index / perAddress)}`,
  })
  socket.on('error', () => socket.destroy())
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  )
  return socket
}

const allIn = async (): Promise<void> => {
  sockets = Array.from({ length: crowd }, (_, index) => upgrade(index))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve))))
}

const offerOf = (size: number) => ({ offer: { type: 'offer', sdp: 'x'.repeat(size) }, offer_id: 'o'.repeat(20) })
const announce = (infoHash: string, name: string, more: object = {}) => ({
  action: 'announce',
  info_hash: infoHash,
  peer_id: name.padEnd(20, '.'),
  left: 1,
  offers: [],
  ...more,
})

test('a crowd of idle sockets that all come back at once keeps nobody else waiting', async () => {
  onTestFailed(() => console.error(tracker.output()))
  const peer = await UdpPeer.open(tracker.port)
  const id = await peer.connect()
  await allIn()
  expect(await figure('websockets')).toBe(crowd)
  for (const socket of sockets) socket.destroy()
  const back = allIn()
  const waits: number[] = []
  let isOver = false
  void back.then(() => (isOver = true))
  while (!isOver) {
    const began = performance.now()
    peer.send(UdpPeer.announce(id, randomBytes(20), 'impatient...........', { port: 7001 }))
    if ((await peer.next(5000)) === undefined) throw new Error('no answer')
    waits.push(performance.now() - began)
  }
  await back
  peer.close()
  // The test itself opens the sockets on the same thread that waits.
  expect(waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)]).toBeLessThan(250)
  await until(async () => (await figure('websockets')) === crowd, {
    within: 20_000,
    what: 'the old ones are forgotten',
  })
  for (const socket of sockets) socket.destroy()
  await until(async () => (await figure('websockets')) === 0, { within: 20_000, what: 'nobody is left' })
})

test('who does not read what is sent to it is cut off, and an answer that nobody asked for reaches nobody', async () => {
  const infoHash = 'slow'.padEnd(20, '-')
  const [slow, busy] = [upgrade(0), await RawSocket.open(tracker.webSocketUrl)]
  sockets.push(slow)
  await once(slow, 'data')
  slow.pause()
  const payload = Buffer.from(JSON.stringify(announce(infoHash, 'slow')))
  slow.write(
    Buffer.concat([Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]), payload]),
  )
  await until(async () => (await figure('peers')) === 1, { within: 5000, what: 'the slow one is in' })

  // Nobody has offered anything to the busy one yet.
  const unasked = { answer: { type: 'answer', sdp: 'x' }, to_peer_id: 'slow'.padEnd(20, '.'), offer_id: 'o'.repeat(20) }
  busy.send(announce(infoHash, 'busy', unasked))
  await until(
    async () =>
      (await (await fetch(`http://127.0.0.1:${tracker.port}/metrics`)).text()).includes(
        'refused_total{transport="ws"} 1',
      ),
    {
      within: 5000,
      what: 'the answer is refused',
    },
  )
  for (let i = 0; i < 2000; i++) {
    busy.send(announce(infoHash, 'busy', { offers: [offerOf(16_000)] }))
    if (i % 50 === 0) await until(() => busy.take() !== undefined, { within: 10_000, what: 'the busy one is answered' })
  }
  await until(async () => (await figure('websockets')) === 1, { within: 20_000, what: 'the slow one is cut off' })
  expect(await figure('peers')).toBe(1)
  await busy.close()
})

test('one address that is no member gets its share of requests and no more, and is banned for garbage', async () => {
  const get = async (from: string, query: string): Promise<number> => {
    const socket = connect({ port: tracker.port, host: '127.0.0.1', localAddress: from })
    socket.end(`GET /announce?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    const [data] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return Number(data.toString('latin1', 9, 12))
  }
  const query = `info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1&left=1`
  const began = performance.now()
  const statuses = await Promise.all(Array.from({ length: 400 }, async () => await get('127.0.2.1', query)))
  const allowed = 200 + ((performance.now() - began) / 1000) * 20 + 1
  const passed = statuses.filter((status) => status === 200).length
  expect(passed).toBeGreaterThanOrEqual(200)
  expect(passed).toBeLessThanOrEqual(allowed)
  expect(await get('127.0.2.2', query)).toBe(200)
  await Promise.all(Array.from({ length: 200 }, async () => await get('127.0.2.3', 'garbage')))
  expect(await get('127.0.2.3', query)).toBe(429)
  expect(await get('127.0.0.1', query)).toBe(200)
})
