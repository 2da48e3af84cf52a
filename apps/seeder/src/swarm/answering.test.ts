import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { Egress } from '../egress/index.ts'
import { Connections } from './webrtc/index.ts'
import type { Channel } from './webrtc/index.ts'
import { Workbench } from './testing/workbench.ts'

let bench: Workbench
beforeEach(async () => {
  bench = await Workbench.open()
})
afterEach(() => bench.close())

interface Message {
  info_hash?: string
  offer_id?: string
  answer?: { sdp: string }
}

/** A WebSocket tracker that passes offers on, and keeps what it hears. */
class Relay {
  readonly url: string
  readonly #server: WebSocketServer
  readonly #answers = new Map<string, (sdp: string) => void>()
  #offers = 0

  private constructor(server: WebSocketServer) {
    this.#server = server
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (socket) => socket.on('message', (data: Buffer) => this.#hear(socket, data)))
  }

  static async open(): Promise<Relay> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    bench.onClose(() => new Promise((resolve) => server.close(resolve)))
    return new Relay(server)
  }

  get connected(): boolean {
    return this.#server.clients.size > 0
  }

  /** Passes an offer to the node. @returns its answer */
  offer(infoHash: string, sdp: string): Promise<string> {
    const id = String(this.#offers++)
    const message = {
      action: 'announce',
      info_hash: Buffer.from(infoHash, 'hex').toString('latin1'),
      peer_id: `-XX0000-${id.padStart(12, '0')}`,
      offer_id: id,
      offer: { type: 'offer', sdp },
    }
    return new Promise((resolve) => {
      this.#answers.set(id, resolve)
      for (const socket of this.#server.clients) socket.send(JSON.stringify(message))
    })
  }

  #hear(socket: WebSocket, data: Buffer): void {
    const { info_hash, offer_id, answer } = JSON.parse(data.toString()) as Message
    if (answer !== undefined) this.#answers.get(offer_id ?? '')?.(answer.sdp)
    else socket.send(JSON.stringify({ action: 'announce', info_hash, interval: 600 }))
  }
}

function browsers(): Connections {
  const made = new Connections({
    egress: new Egress({ allowPrivate: true, allowedOrigins: [] }),
    host: '127.0.0.1',
    iceServers: [],
    maxConnections: 400,
    maxNegotiating: 100,
    now: () => performance.now(),
  })
  bench.onClose(async () => made.close())
  return made
}

/** Offers until one leads to a channel. @param told hears how long each answer took, in ms */
async function channelTo(
  { relay, remote, infoHash }: { relay: Relay; remote: Connections; infoHash: string },
  told: (took: number) => void = () => {},
): Promise<Channel> {
  const { promise: opened, resolve } = Promise.withResolvers<Channel>()
  const before = remote.size
  // The library at times gives up its own offer while it takes in the answer: the next one is as good.
  for (let tries = 0; remote.size === before && tries < 10; tries++) {
    const offer = await remote.offer(resolve)
    const started = performance.now()
    const answer = await relay.offer(infoHash, offer?.sdp ?? '')
    told(performance.now() - started)
    offer?.accept(answer, 'aa')
  }
  return await opened
}

/** It knows the extension protocol (BEP 10). */
function handshake(infoHash: string): Buffer {
  const start = Buffer.from('\u0013BitTorrent protocol\0\0\0\0\0\u0010\0\0', 'latin1')
  return Buffer.concat([start, Buffer.from(infoHash, 'hex'), Buffer.from('-XX0000-abcdefghijkl')])
}

function numbered(index: number): string {
  return index.toString(16).padStart(40, '0')
}

test('an offer for any of 5,000 sleeping items is answered at once and wakes it', { timeout: 60_000 }, async () => {
  const [relay, remote] = [await Relay.open(), browsers()]
  const items = await Promise.all(Array.from({ length: 10 }, (_, i) => bench.torrent(`${i}`, [[`${i}`, 50_000]])))
  const swarm = await bench.swarm({ trackers: [relay.url] })
  swarm.restore([...items.map(({ infoHash }) => infoHash), ...Array.from({ length: 4_990 }, (_, i) => numbered(i))])
  await vi.waitFor(() => expect(relay.connected).toBe(true), 10_000)
  const times: number[] = []
  for (const [index, { infoHash }] of items.entries()) {
    expect(swarm.stats().awake).toBe(index)
    const open = await channelTo({ relay, remote, infoHash }, (took) => times.push(took))
    open.write(handshake(infoHash))
    const [bytes] = (await once(open, 'data')) as [Buffer]
    expect(Buffer.from(bytes).subarray(28, 48).toString('hex')).toBe(infoHash)
  }
  expect(swarm.stats()).toMatchObject({ awake: 10, offersDropped: 0 })
  expect(times.toSorted((a, b) => a - b)[times.length >> 1]).toBeLessThan(200)
})

test('a browser is told to have 256 requests waiting at most (BEP 10)', { timeout: 60_000 }, async () => {
  const [relay, remote] = [await Relay.open(), browsers()]
  const { infoHash } = await bench.torrent('one', [['one', 50_000]])
  const swarm = await bench.swarm({ trackers: [relay.url] })
  swarm.seed(infoHash)
  await vi.waitFor(() => expect(relay.connected).toBe(true), 10_000)
  const channel = await channelTo({ relay, remote, infoHash })
  let heard = ''
  channel.on('data', (bytes: Uint8Array) => (heard += Buffer.from(bytes).toString('latin1')))
  channel.write(handshake(infoHash))
  await vi.waitFor(() => expect(heard).toContain('4:reqqi256e'), 10_000)
})

test(
  'a flood of bad offers is dropped and counted, and a good one is answered after it',
  { timeout: 60_000 },
  async () => {
    const [relay, remote] = [await Relay.open(), browsers()]
    const { infoHash } = await bench.torrent('one', [['one', 50_000]])
    const swarm = await bench.swarm({ trackers: [relay.url] })
    swarm.seed(infoHash)
    await vi.waitFor(() => expect(relay.connected).toBe(true), 10_000)
    const sdp = (await remote.offer(() => {}))?.sdp ?? ''
    const bad = [sdp.replace('webrtc-datachannel', 'sound'), 'nonsense', `${sdp}${'x'.repeat(30_000)}`]
    for (let i = 0; i < 5_000; i++) {
      if (i % 2 === 0) void relay.offer(numbered(i), sdp)
      else void relay.offer(infoHash, bad[i % bad.length] ?? '')
    }
    const answer = await relay.offer(infoHash, sdp)
    expect(answer).toContain('a=setup:active')
    expect(swarm.stats()).toMatchObject({ offersDropped: 5_000, awake: 1 })
  },
)

test('an offer for an item that is awake is answered as fast', { timeout: 60_000 }, async () => {
  const [relay, remote] = [await Relay.open(), browsers()]
  const { infoHash } = await bench.torrent('one', [['one', 50_000]])
  const swarm = await bench.swarm({ trackers: [relay.url] })
  swarm.seed(infoHash)
  expect(await swarm.wake(infoHash)).toBe(true)
  await vi.waitFor(() => expect(relay.connected).toBe(true), 10_000)
  const times: number[] = []
  for (let turn = 0; turn < 15; turn++) {
    const offer = await remote.offer(() => {})
    const started = performance.now()
    await relay.offer(infoHash, offer?.sdp ?? '')
    times.push(performance.now() - started)
    offer?.close()
  }
  expect(times.toSorted((a, b) => a - b)[7]).toBeLessThan(200)
})

test('offers past the limits are dropped; those that come to nothing make room', { timeout: 60_000 }, async () => {
  const [relay, remote] = [await Relay.open(), browsers()]
  const { infoHash } = await bench.torrent('one', [['one', 50_000]])
  let time = 0
  const swarm = await bench.swarm({
    trackers: [relay.url],
    limits: { maxChannels: 8, maxNegotiating: 4 },
    now: () => time,
  })
  swarm.seed(infoHash)
  await vi.waitFor(() => expect(relay.connected).toBe(true), 10_000)
  const sdp = (await remote.offer(() => {}))?.sdp ?? ''
  for (let i = 0; i < 10; i++) void relay.offer(infoHash, sdp)
  await vi.waitFor(() => expect(swarm.stats()).toMatchObject({ negotiating: 4, offersDropped: 6 }), 10_000)
  time = 5_000
  await relay.offer(infoHash, sdp)
  expect(swarm.stats()).toMatchObject({ negotiating: 4, offersDropped: 6 })
})
