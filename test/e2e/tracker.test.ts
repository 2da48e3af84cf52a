import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import Client from 'bittorrent-tracker/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Tracker, until } from '../harness/index.ts'
import { tellEndOfCandidates } from '../harness/end-of-candidates.ts'
import { RawSocket, UdpPeer } from '../harness/announces.ts'

const tracker = new Tracker({ trustProxy: '127.0.0.1', 'limits.socketsPerAddress': 30 })
const base = () => `http://127.0.0.1:${tracker.port}`
const closing: (() => unknown)[] = []

beforeAll(async () => await tracker.start())
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  // Whatever a test sent, the tracker goes on.
  const { status } = await fetch(`${base()}/health`)
  if (status !== 200 || tracker.ended !== undefined) throw new Error(`the tracker is gone\n${tracker.output()}`)
})
afterAll(async () => {
  await tracker.stop()
})

const bytes = (data: Buffer): string => data.toString('hex').replace(/../g, '%$&')
const latin = (data: Buffer): string => data.toString('latin1')

const announceHttp = async (infoHash: Buffer, port: number, headers: Record<string, string> = {}): Promise<string> => {
  const url = `${base()}/announce?info_hash=${bytes(infoHash)}&peer_id=-XX0001-${String(port).padStart(12, '0')}&port=${port}&compact=1&left=1&event=started`
  return latin(Buffer.from(await (await fetch(url, { headers })).arrayBuffer()))
}

const open = async (): Promise<RawSocket> => {
  const socket = await RawSocket.open(tracker.webSocketUrl)
  closing.push(() => socket.close())
  return socket
}

const udp = async (): Promise<UdpPeer> => {
  const peer = await UdpPeer.open(tracker.port)
  closing.push(() => peer.close())
  return peer
}

const answered = (socket: RawSocket) => until(() => socket.take(), { within: 5000, what: 'an answer' })

const peerId = (name: string): string => name.padEnd(20, '.')
const offer = { offer: { type: 'offer', sdp: 'v=0' }, offer_id: 'o'.repeat(20) }
const announceWs = (infoHash: Buffer, name: string, more: object = {}) => ({
  action: 'announce',
  info_hash: latin(infoHash),
  peer_id: peerId(name),
  left: 1,
  event: 'started',
  offers: [],
  ...more,
})

describe('stock clients', () => {
  const client = (infoHash: Buffer, port: number, url: string): Client => {
    const one = new Client({ infoHash, peerId: randomBytes(20), port, announce: [url] })
    closing.push(() => new Promise<void>((done) => one.destroy(done)))
    return one
  }

  test.for(['http', 'udp'])('see each other over %s', async (protocol) => {
    const url = protocol === 'http' ? `${base()}/announce` : `udp://127.0.0.1:${tracker.port}`
    const infoHash = randomBytes(20)
    const first = client(infoHash, 6001, url)
    first.start({ left: 0 })
    await once(first, 'update')
    const second = client(infoHash, 6002, url)
    const peers: string[] = []
    second.on('peer', (peer: string) => peers.push(peer))
    second.start({ left: 100 })
    const [answer] = (await once(second, 'update')) as [{ complete: number; incomplete: number }]
    await until(() => peers.includes('127.0.0.1:6001'), { within: 5000, what: 'the first is told to the second' })
    expect(answer).toMatchObject({ complete: 1, incomplete: 1 })
    second.scrape()
    expect((await once(second, 'scrape'))[0]).toMatchObject({ complete: 1, incomplete: 1 })
  })

  test('connect to each other over WebSocket', async () => {
    tellEndOfCandidates()
    const infoHash = randomBytes(20)
    const first = client(infoHash, 6001, tracker.webSocketUrl)
    first.start({ left: 0 })
    await once(first, 'update')
    const second = client(infoHash, 6002, tracker.webSocketUrl)
    const found = Promise.all([once(first, 'peer'), once(second, 'peer')]) as Promise<[{ destroy(): void }][]>
    second.start({ left: 100 })
    const peers = (await found).map(([peer]) => peer)
    expect(peers).toHaveLength(2)
    for (const peer of peers) peer.destroy()
  })
})

describe('what crashes or misleads the stock server', () => {
  test('offers: [null] while another peer is in the swarm', async () => {
    const infoHash = randomBytes(20)
    const [victim, attacker] = [await open(), await open()]
    victim.send(announceWs(infoHash, 'victim'))
    await answered(victim)
    attacker.send(announceWs(infoHash, 'attacker', { offers: [null] }))
    expect(await answered(attacker)).toHaveProperty('failure reason')
    attacker.send(announceWs(infoHash, 'attacker', { offers: [offer] }))
    expect(await answered(attacker)).toMatchObject({ action: 'announce', incomplete: 2 })
    expect(await answered(victim)).toMatchObject({ peer_id: peerId('attacker'), ...offer })
  })

  test('a WebSocket scrape with info_hash: 5', async () => {
    const socket = await open()
    socket.send({ action: 'scrape', info_hash: 5 })
    expect(await answered(socket)).toHaveProperty('failure reason')
  })

  test.for(['abc', '999.1.1.1', '127.0.0.1, abc'])('X-Forwarded-For: %s behind a trusted proxy', async (forwarded) => {
    const infoHash = randomBytes(20)
    expect(await announceHttp(infoHash, 7001, { 'x-forwarded-for': forwarded })).toContain('failure reason')
    await announceHttp(infoHash, 7002)
    expect(await announceHttp(infoHash, 7003)).toContain('5:peers6:')
  })

  test('X-Forwarded-For with an address that the client made up on its left', async () => {
    const infoHash = randomBytes(20)
    await announceHttp(infoHash, 7001, { 'x-forwarded-for': '6.6.6.6, 9.9.9.9' })
    const answer = await announceHttp(infoHash, 7002)
    expect(answer).toContain(latin(Buffer.from([9, 9, 9, 9, 7001 >> 8, 7001 & 255])))
    expect(answer).not.toContain(latin(Buffer.from([6, 6, 6, 6])))
  })

  test('a WebSocket message beyond 64 KiB', async () => {
    const socket = await RawSocket.open(tracker.webSocketUrl)
    const closed = socket.closed()
    socket.send(announceWs(randomBytes(20), 'big', { padding: 'x'.repeat(65_536) }))
    expect(await closed).toBe(1009)
  })

  test('statistics for everybody', async () => {
    for (const path of ['/stats', '/stats.json']) expect((await fetch(base() + path)).status).toBe(404)
    expect(await (await fetch(`${base()}/scrape`)).text()).toContain('failure reason')
  })

  test('a UDP announce from an address that was never proven draws nothing', async () => {
    const peer = await udp()
    const infoHash = randomBytes(20)
    peer.send(UdpPeer.announce(Buffer.from('0000041727101980', 'hex'), infoHash, peerId('spoofed'), { port: 7001 }))
    peer.send(UdpPeer.announce(randomBytes(8), infoHash, peerId('spoofed'), { port: 7001 }))
    // The answer to what is sent last arrives first: the others drew none.
    const id = await peer.connect()
    const other = await udp()
    expect(await other.connect()).not.toEqual(id)
    // An id is good for the address and port that it was given to.
    other.send(UdpPeer.announce(id, infoHash, peerId('spoofed'), { port: 7003 }))
    peer.send(UdpPeer.announce(id, infoHash, peerId('honest'), { port: 7002 }))
    expect((await peer.next(5000))?.readUInt32BE(12)).toBe(1)
  })

  test('the ip field of a UDP announce', async () => {
    const peer = await udp()
    const infoHash = randomBytes(20)
    const id = await peer.connect()
    peer.send(UdpPeer.announce(id, infoHash, peerId('a'), { ip: 0x06060606, port: 7001 }))
    await peer.next(5000)
    peer.send(UdpPeer.announce(id, infoHash, peerId('b'), { port: 7002 }))
    const answer = await peer.next(5000)
    expect(answer?.subarray(20).toString('hex')).toBe(`7f000001${(7001).toString(16)}`)
  })

  test("a stranger stops somebody else's peer id", async () => {
    const infoHash = randomBytes(20)
    const [victim, stranger] = [await open(), await open()]
    victim.send(announceWs(infoHash, 'victim'))
    await answered(victim)
    stranger.send(announceWs(infoHash, 'victim', { event: 'stopped' }))
    expect(await answered(stranger)).toHaveProperty('failure reason')
    stranger.send({ action: 'scrape', info_hash: latin(infoHash) })
    expect(await answered(stranger)).toMatchObject({ files: { [latin(infoHash)]: { incomplete: 1 } } })
  })

  test('a peer reconnects before its old socket closes', async () => {
    const infoHash = randomBytes(20)
    const old = await RawSocket.open(tracker.webSocketUrl)
    old.send(announceWs(infoHash, 'mobile'))
    await answered(old)
    const fresh = await open()
    fresh.send(announceWs(infoHash, 'mobile'))
    await answered(fresh)
    await old.close()
    const other = await open()
    other.send(announceWs(infoHash, 'other', { offers: [offer] }))
    expect(await answered(other)).toMatchObject({ incomplete: 2 })
    expect(await answered(fresh)).toMatchObject({ peer_id: peerId('other') })
  })

  test('a peer that does not know the size yet is no seeder', async () => {
    const socket = await open()
    socket.send(announceWs(randomBytes(20), 'magnet', { left: null }))
    expect(await answered(socket)).toMatchObject({ complete: 0, incomplete: 1 })
  })

  test('an HTTP scrape of a torrent whose hash is no text', async () => {
    const infoHash = Buffer.concat([Buffer.from('fffe8000', 'hex'), randomBytes(16)])
    await announceHttp(infoHash, 7001)
    const response = await fetch(`${base()}/scrape?info_hash=${bytes(infoHash)}`)
    const answer = latin(Buffer.from(await response.arrayBuffer()))
    expect(answer).toBe(
      `d5:filesd20:${latin(infoHash)}d8:completei0e10:downloadedi0e11:downloadersi1e10:incompletei1eeee`,
    )
  })

  test('many first announces at once', async () => {
    const infoHash = randomBytes(20)
    await Promise.all(Array.from({ length: 20 }, (_, i) => announceHttp(infoHash, 8001 + i)))
    expect(await announceHttp(infoHash, 8000)).toContain(`5:peers${20 * 6}:`)
  })

  test('one address opens sockets without end', async () => {
    const sockets = await Promise.allSettled(Array.from({ length: 40 }, () => open()))
    expect(sockets.filter(({ status }) => status === 'rejected').length).toBe(10)
  })
})

describe('floods of garbage', () => {
  test('over UDP', async () => {
    const peer = await udp()
    const id = await peer.connect()
    for (let i = 0; i < 5000; i++) {
      const packet = randomBytes(i % 200)
      // Half of them pass for packets of somebody who is known.
      if (i % 2 === 0) id.copy(packet)
      if (packet.length > 12) packet.writeUInt32BE(i % 4, 8)
      peer.send(packet)
      if (i % 100 === 0) await new Promise(setImmediate)
    }
    expect(await (await udp()).connect()).toHaveLength(8)
  })

  test('over WebSocket: cut off after some', async () => {
    const socket = await RawSocket.open(tracker.webSocketUrl)
    const closed = socket.closed()
    for (let i = 0; i < 200; i++)
      socket.send(i % 2 === 0 ? randomBytes(100).toString('latin1') : '{"action":"announce"}')
    expect(await closed).toBe(1008)
  })

  test('over TCP', async () => {
    const garbage = [
      'GET /announce?info_hash=%%%&peer_id=%ZZ HTTP/1.1\r\nHost: x\r\n\r\n',
      `GET /announce?${'info_hash=%00&'.repeat(400)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nX-Forwarded-For: abc\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
      'POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nxxxx',
      'GET /%00/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ]
    const sent = Array.from({ length: 200 }, async (_, i) => {
      const socket = connect(tracker.port, '127.0.0.1')
      socket.on('error', () => socket.destroy())
      socket.end(garbage[i % 8] ?? randomBytes(500))
      socket.resume()
      await once(socket, 'close')
    })
    await Promise.all(sent)
    expect(await announceHttp(randomBytes(20), 7001)).toContain('5:peers0:')
  })
})

test('tells its health and its figures, all on the port of HTTP', async () => {
  const socket = await open()
  socket.send(announceWs(randomBytes(20), 'counted'))
  await answered(socket)
  const metrics = await (await fetch(`${base()}/metrics`)).text()
  for (const name of ['torrents', 'peers', 'websockets'])
    expect(metrics).toMatch(new RegExp(`eldernode_tracker_${name} [1-9]`))
  expect(metrics).toMatch(/eldernode_tracker_requests_total\{transport="udp",action="connect"\} [1-9]/)
  expect(metrics).toMatch(/eldernode_tracker_refused_total\{transport="ws"\} [1-9]/)
  expect(metrics).toContain('process_resident_memory_bytes')
})
