import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, onTestFinished, test } from 'vitest'
import { RawSocket, UdpPeer } from '../harness/announces.ts'
import { Program, Tracker, until } from '../harness/index.ts'

const crowd = 20_000
const perAddress = 400

/** Files that one process may have open. Where they are too few for the crowd, two processes bear it, and two are it. */
const mayOpen = Number(/^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
const parts = mayOpen < crowd + 500 ? 2 : 1

let tracker: Tracker
const sockets: Socket[] = []

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

/** An upgrade, read only when somebody listens. */
const upgrade = (): Socket => {
  const socket = connect(tracker.port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  )
  return socket
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

test('20,000 idle sockets that all come back at once keep nobody else waiting', { timeout: 240_000 }, async () => {
  onTestFailed(() => console.error(tracker.output()))
  if (mayOpen < crowd / 2 + 1500) throw new Error(`the hard limit of open files is ${mayOpen}: raise it (ulimit -Hn)`)
  await tracker.stop()
  tracker = new Tracker({ 'limits.sockets': 30_000, members: '127.0.0.1', 'cluster.workers': parts })
  await tracker.start()
  const script = join(import.meta.dirname, '../harness/socket-crowd.py')
  const each = crowd / parts
  const many = Array.from({ length: parts }, (_, part) => {
    const first = 1 + (part * each) / perAddress
    const args = [script, String(tracker.port), String(each), String(perAddress), String(first)]
    return new Program({ name: 'crowd', command: '/usr/bin/python3', args })
  })
  const goAway = async (): Promise<unknown> => await Promise.all(many.map(async (one) => await one.end('SIGKILL')))
  onTestFinished(async () => {
    await goAway()
  })
  onTestFailed(() => console.error(many.map((one) => one.output()).join('\n')))
  const areIn = (times: number): boolean => {
    if (many.some((one) => one.ended !== undefined)) throw new Error('the crowd is gone')
    return many.every((one) => one.lines.filter((line) => line === `${each} open`).length === times)
  }
  await until(() => areIn(1), { within: 90_000, every: 200, what: 'all are in' })
  expect(await figure('websockets')).toBe(crowd)
  for (const one of many) process.kill(one.pid, 'SIGUSR1')
  const peer = await UdpPeer.open(tracker.port)
  const id = await peer.connect()
  const waits: number[] = []
  await until(
    async () => {
      const began = performance.now()
      peer.send(UdpPeer.announce(id, randomBytes(20), 'impatient...........', { port: 7001 }))
      if ((await peer.next(5000)) !== undefined) waits.push(performance.now() - began)
      return areIn(2)
    },
    { within: 90_000, every: 10, what: 'all are back' },
  )
  peer.close()
  const sorted = waits.toSorted((a, b) => a - b)
  expect(waits.length).toBeGreaterThan(30)
  // Each turn of the loop lets a few in; on a busy machine others have their turn as well.
  expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThan(250)
  await until(async () => (await figure('websockets')) === crowd, {
    within: 20_000,
    what: 'the old ones are forgotten',
  })
  await goAway()
  await until(async () => (await figure('websockets')) === 0, { within: 20_000, what: 'nobody is left' })
})

test('who does not read what is sent to it is cut off, and an answer that nobody asked for reaches nobody', async () => {
  const infoHash = 'slow'.padEnd(20, '-')
  const [slow, busy] = [upgrade(), await RawSocket.open(tracker.webSocketUrl)]
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
