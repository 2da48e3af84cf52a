import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import {
  metric,
  populate,
  type Population,
  Seeder,
  seededBytes,
  sha256,
  sha256OfFile,
  TestHost,
  Tracker,
  until,
} from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { StockBrowser } from './browser.ts'
import { type Client, clients, encryptedClients } from './client.ts'

const items = 20_000
const large = 5_000_000

// Transmission dials nobody on 127.0.0.1, and takes a peer with its own address for itself.
const noHost = lacks('ip') || process.getuid?.() !== 0
let folder: string
let host: TestHost
let population: Population
let seeder: Seeder
/** For clients that connect, and for browsers: the peers of one are not those of the other. */
let trackers: { plain: Tracker; webSocket: Tracker }
let peer: string
let published = 0

beforeAll(async () => {
  if (noHost) return
  host = new TestHost()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-library-'))
  const tracker = (): Tracker => new Tracker({ host: host.near, members: host.near, 'announce.intervalSeconds': 100 })
  trackers = { plain: tracker(), webSocket: tracker() }
  await Promise.all([trackers.plain.start(), trackers.webSocket.start()])
  population = await populate(join(folder, 'node'), { items, published: true })
  seeder = new Seeder('node', join(folder, 'node'), {
    'network.allowPrivate': true,
    'http.host': host.near,
    'swarm.trackers': [...httpOf(trackers.plain), trackers.webSocket.webSocketUrl],
  })
  await seeder.start()
  await seeder.ready()
  peer = await seeder.peerAddress()
})

afterAll(async () => {
  if (noHost) return
  await seeder?.stop()
  await Promise.all([trackers.plain.stop(), trackers.webSocket.stop()])
  await rm(folder, { recursive: true, force: true })
  host.close()
})

interface Wanted {
  infoHash: string
  name: string
  sha256: string
}

const httpOf = (tracker: Tracker): string[] => tracker.urls.filter((url) => url.startsWith('http'))

/** No web seed, so that the bytes come from the swarm alone, and no request to the API, which could wake the item. */
const magnetOf = ({ infoHash, name }: Wanted, tracker: string[]): string =>
  [`magnet:?xt=urn:btih:${infoHash}`, `dn=${name}`, `x.pe=${peer}`, ...tracker.map((url) => `tr=${url}`)].join('&')

const wantedOf = (index: number): Wanted => ({
  infoHash: population.infoHash(index),
  name: population.name(index),
  sha256: sha256(population.bytes(index)),
})

/** An item of the library that the tracker has heard of by now; each is given out once. */
async function announced(tracker: Tracker, from: number): Promise<Wanted> {
  let index = from
  return await until(
    async () => {
      index = index + 1 < from + 500 ? index + 1 : from
      return (await tracker.seedersOf(population.infoHash(index))) > 0 ? wantedOf(index) : undefined
    },
    { within: 60_000, every: 0, what: 'the tracker knows one of 500 items' },
  )
}

async function largeItem(tracker: Tracker): Promise<Wanted> {
  const media = await seeder.publish(`large-${++published}.bin`, seededBytes(items + published, large))
  await until(async () => (await tracker.seedersOf(media.id)) > 0, { within: 20_000, what: 'it is announced' })
  return { infoHash: media.id, name: media.name, sha256: media.sha256 }
}

const awake = (): Promise<number> => metric(seeder, 'swarm_awake')
const asked = (): Promise<number> => metric(seeder, 'http_requests_total', '/v1/media/')

interface Woken {
  /** What the client got of each item. */
  sums: string[]
  /** Items that woke with each download. */
  woke: number[]
  /** Requests to the API for any item. */
  requests: number
}

async function woken(wanted: readonly Wanted[], download: (item: Wanted) => Promise<string>): Promise<Woken> {
  onTestFailed(() => console.error(seeder.output()))
  const requests = await asked()
  const seen: Woken = { sums: [], woke: [], requests: 0 }
  for (const item of wanted) {
    const before = await awake()
    seen.sums.push(await download(item))
    seen.woke.push((await awake()) - before)
  }
  return { ...seen, requests: (await asked()) - requests }
}

/** Each item woke when it was downloaded, none but these did, and nobody asked for them over the API. */
const asTheyShould = (wanted: readonly Wanted[]): Woken => ({
  sums: wanted.map(({ sha256: sum }) => sum),
  woke: wanted.map(() => 1),
  requests: 0,
})

const byClient = (client: Client | undefined) => async (item: Wanted) => {
  const target = await mkdtemp(join(folder, 'client-'))
  if (client === undefined) throw new Error('there is no such client')
  await client(host, magnetOf(item, httpOf(trackers.plain)), target)
  return await sha256OfFile(join(target, item.name))
}

test.skipIf(noHost)('nothing of a library that was just opened is awake', async () => {
  expect(await metric(seeder, 'swarm_torrents')).toBe(items)
  expect(await awake()).toBe(0)
})

test.for(Object.keys(clients).map((name, index) => ({ name, index })))(
  '$name wakes what it downloads',
  async ({ name, index }, { skip }) => {
    skip(noHost || lacks(name))
    const small = await announced(trackers.plain, 1000 * (index + 1))
    // Transmission thinks for 20 s before it asks a peer whose metadata it got for more.
    const wanted = name === 'transmission-cli' ? [small] : [small, await largeItem(trackers.plain)]
    expect(await woken(wanted, byClient(clients[name]))).toEqual(asTheyShould(wanted))
  },
)

test.for(Object.keys(encryptedClients).map((name, index) => ({ name, index })))(
  'libtorrent wakes a small and a large item with encryption forced: $name',
  async ({ name, index }, { skip }) => {
    skip(noHost || lacks('libtorrent'))
    const wanted = [wantedOf(11_000 + index), await largeItem(trackers.plain)]
    expect(await woken(wanted, byClient(encryptedClients[name]))).toEqual(asTheyShould(wanted))
  },
)

test.skipIf(noHost || lacks('chromium'))('a stock browser wakes a small and a large item by its offers', async () => {
  const browser = await StockBrowser.launch()
  try {
    const wanted = [await announced(trackers.webSocket, 15_000), await largeItem(trackers.webSocket)]
    const seen = await woken(wanted, async (item) => {
      const magnet = magnetOf(item, [trackers.webSocket.webSocketUrl])
      return (await browser.download(magnet, 30_000)).sha256
    })
    expect(seen).toEqual(asTheyShould(wanted))
  } finally {
    await browser.close()
  }
})
