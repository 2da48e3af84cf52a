import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Fetched, SwarmLimits } from './port.ts'
import { Workbench } from './testing/workbench.ts'
import type { MadeTorrent } from './testing/workbench.ts'
import type { SwarmOptions, Swarm } from './index.ts'

let bench: Workbench
let made: MadeTorrent

beforeEach(async () => {
  bench = await Workbench.open()
  made = await bench.torrent('large.bin', [['large.bin', 64_000_000]], 262_144)
})
afterEach(() => bench.close())

/** A transfer that runs until the end of the test, and how fast its bytes arrive. */
class Transfer {
  received = 0
  readonly finished: Promise<Fetched>
  readonly #abort = new AbortController()

  private constructor(leecher: Swarm, request: Parameters<Swarm['fetch']>[0]) {
    this.finished = leecher.fetch({
      ...request,
      signal: this.#abort.signal,
      onProgress: (received) => (this.received = received),
    })
    this.finished.catch(() => undefined)
  }

  static async begin(
    leecher: Swarm,
    from: { peers?: string[]; webSeeds?: string[] },
    wanted = made,
  ): Promise<Transfer> {
    const transfer = new Transfer(leecher, await bench.request(wanted, { ...from, metainfo: wanted.metainfo }))
    bench.onClose(async () => {
      transfer.#abort.abort()
      await transfer.finished.catch(() => undefined)
    })
    return transfer
  }

  /** Bytes per second over some time from now. */
  async rate(ms: number): Promise<number> {
    const [bytes, at] = [this.received, performance.now()]
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ((this.received - bytes) * 1000) / (performance.now() - at)
  }

  /** Resolves once so many bytes have arrived. */
  async reaches(bytes: number): Promise<void> {
    while (this.received < bytes) await this.rate(5)
  }

  /**
   * The share of a limit that arrives, over 2 s. On a busy machine it is less for a while, so the first of five that is
   * no less than 0.85 counts; more than the limit is never the machine's fault.
   */
  async shareOf(limit: number): Promise<number> {
    let share = 0
    for (let i = 0; i < 5 && share < 0.85; i++) share = (await this.rate(2_000)) / limit
    return share
  }
}

interface Signal {
  info_hash: string
  peer_id: string
  to_peer_id?: string
  offer_id?: string
  answer?: object
  offers?: { offer: object; offer_id: string }[]
}

/** A WebSocket tracker of one item that passes every offer and answer on. @returns its announce URL */
async function introduce(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const peers = new Map<string, WebSocket>()
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { info_hash, peer_id, to_peer_id, offer_id, answer, offers = [] } = JSON.parse(data.toString()) as Signal
      const about = { action: 'announce', info_hash, peer_id }
      const others = [...peers].flatMap(([id, other]) => (id === peer_id ? [] : [other]))
      peers.set(peer_id, socket)
      if (answer !== undefined) peers.get(to_peer_id ?? '')?.send(JSON.stringify({ ...about, answer, offer_id }))
      else socket.send(JSON.stringify({ action: 'announce', info_hash, interval: 2, complete: 0, incomplete: 0 }))
      for (const [i, offer] of offers.entries()) others[i]?.send(JSON.stringify({ ...about, ...offer }))
    })
  })
  await once(server, 'listening')
  bench.onClose(() => {
    for (const socket of server.clients) socket.terminate()
    return new Promise((resolve) => server.close(resolve))
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const seeding = async (limits: Partial<SwarmLimits>, options: Partial<SwarmOptions> = {}): Promise<Swarm> => {
  const seeder = await bench.swarm({ limits, ...options })
  for (const infoHash of bench.shelf.keys()) seeder.seed(infoHash)
  return seeder
}
const at = ({ port }: Swarm): { peers: string[] } => ({ peers: [`127.0.0.1:${port}`] })

const within = 0.15

/** @returns a URL whose answers are ranges of the bytes */
async function serveRanges(bytes: Buffer): Promise<string> {
  const server = createServer((request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}` })
    response.end(bytes.subarray(Number(from), Number(to) + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench.onClose(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('an upload keeps to its limit, and a change holds within a second', async () => {
  const seeder = await seeding({ uploadLimit: 1_000_000 })
  const transfer = await Transfer.begin(await bench.swarm(), at(seeder))
  await transfer.reaches(500_000)
  expect(Math.abs((await transfer.shareOf(1_000_000)) - 1)).toBeLessThan(within)
  seeder.limit({ uploadLimit: 3_000_000 })
  await transfer.rate(1_000)
  expect(Math.abs((await transfer.shareOf(3_000_000)) - 1)).toBeLessThan(within)
  seeder.limit({ uploadLimit: 300_000 })
  await transfer.rate(1_000)
  expect(Math.abs((await transfer.shareOf(300_000)) - 1)).toBeLessThan(within)
  seeder.limit({ uploadLimit: 0 })
  await transfer.finished
})

test('a download keeps to its limit, and a change holds within a second', async () => {
  const leecher = await bench.swarm({ limits: { downloadLimit: 1_000_000 } })
  const transfer = await Transfer.begin(leecher, at(await seeding({})))
  await transfer.reaches(500_000)
  expect(Math.abs((await transfer.shareOf(1_000_000)) - 1)).toBeLessThan(within)
  leecher.limit({ downloadLimit: 300_000 })
  await transfer.rate(1_000)
  expect(Math.abs((await transfer.shareOf(300_000)) - 1)).toBeLessThan(within)
  leecher.limit({ downloadLimit: 0 })
  await transfer.finished
})

test('two peers of one item share its limit, and another item goes on as fast as it may', async () => {
  const other = await bench.torrent('other.bin', [['other.bin', 64_000_000]], 262_144)
  const own = { [made.infoHash]: { uploadLimit: 600_000 } }
  const seeder = await seeding({ uploadLimit: 3_000_000 }, { itemLimits: (infoHash) => own[infoHash] ?? {} })
  const [one, two] = [
    await Transfer.begin(await bench.swarm(), at(seeder)),
    await Transfer.begin(await bench.swarm(), at(seeder)),
  ]
  const third = await Transfer.begin(await bench.swarm(), at(seeder), other)
  await Promise.all([one.reaches(200_000), two.reaches(200_000), third.reaches(500_000)])
  const both = async (): Promise<number> => {
    const rates = await Promise.all([one.rate(2_000), two.rate(2_000)])
    expect(Math.abs(rates[0] - rates[1])).toBeLessThan(150_000)
    return (rates[0] + rates[1]) / 600_000
  }
  let shared = 0
  for (let i = 0; i < 5 && shared < 1 - within; i++) shared = await both()
  expect(Math.abs(shared - 1)).toBeLessThan(within)
  expect(Math.abs((await third.shareOf(2_400_000)) - 1)).toBeLessThan(within)
})

test('a web seed keeps to the download limit, is counted as its bytes come, and waits as long as its turn takes', async () => {
  const wide = await bench.torrent('wide.bin', [['wide.bin', 16_000_000]], 4_194_304)
  const url = await serveRanges(wide.contents[0] ?? Buffer.alloc(0))
  const leecher = await bench.swarm({ limits: { itemDownloadLimit: 1_000_000 } })
  const transfer = await Transfer.begin(leecher, { webSeeds: [url] }, wide)
  await transfer.reaches(250_000)
  expect(Math.abs((await transfer.shareOf(1_000_000)) - 1)).toBeLessThan(within)
  leecher.limit({ itemDownloadLimit: 0 })
  await transfer.finished
})

// What SCTP held back comes in a burst, so the average over a longer time counts.
test('WebRTC keeps to both limits, the lower one of two nodes', { timeout: 90_000 }, async () => {
  const trackers = [await introduce()]
  const seeder = await seeding({ uploadLimit: 1_000_000 }, { trackers })
  const leecher = await bench.swarm({ trackers })
  const transfer = await Transfer.begin(leecher, {})
  await transfer.reaches(500_000)
  expect(leecher.stats().channels).toBeGreaterThan(0)
  expect((await transfer.rate(5_000)) / 1_000_000).toBeLessThan(1 + within)
  seeder.limit({ uploadLimit: 2_000_000 })
  leecher.limit({ downloadLimit: 500_000 })
  await transfer.rate(1_000)
  const before = transfer.received
  expect((await transfer.rate(5_000)) / 500_000).toBeLessThan(1 + within)
  await transfer.reaches(before + 5 * 500_000 * (1 - within))
})
