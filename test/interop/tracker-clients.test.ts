import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import {
  Islands,
  mayPartition,
  type Island,
  seededBytes,
  sha256,
  sha256OfFile,
  Tracker,
  until,
} from '../harness/index.ts'
import { metainfo } from '../harness/metainfo.ts'
import { lacks } from '../harness/tools.ts'
import { StockBrowser } from './browser.ts'
import { isMissing, stockClients } from './stock-clients.ts'

/** Clients that nobody here wrote, each on a host of its own: some take a peer with their own address for themselves. */
const names = Object.keys(stockClients)
const pairs = names.flatMap((seeder, index) =>
  (['http', 'udp'] as const).map((transport) => ({
    transport,
    seeder,
    leecher: names[(index + 1) % names.length] ?? '',
    number: index + (transport === 'http' ? 0 : names.length),
  })),
)

const noHosts = !mayPartition()
let folder: string
let islands: Islands
let tracker: Tracker
const homes = new Map<string, Island>()

beforeAll(async () => {
  if (noHosts) return
  folder = await mkdtemp(join(tmpdir(), 'eldernode-tracker-clients-'))
  islands = new Islands()
  for (const name of names) homes.set(name, islands.add())
  tracker = new Tracker({ host: islands.address, 'announce.intervalSeconds': 10 })
  await tracker.start()
})

afterAll(async () => {
  if (noHosts) return
  await tracker.stop()
  islands.close()
  await rm(folder, { recursive: true, force: true })
})

const run = async (
  context: TestContext,
  name: string,
  role: string,
  file: Buffer,
  at: { number: number; content?: Uint8Array; more?: string[] },
) => {
  const [client, island] = [stockClients[name], homes.get(name)]
  if (client === undefined || island === undefined) throw new Error(`there is no client ${name}`)
  const place = join(folder, `${at.number}-${role}`)
  const torrent = `${place}.torrent`
  await mkdir(place)
  if (at.content !== undefined) await writeFile(join(place, 'film.bin'), at.content)
  await writeFile(torrent, file)
  const program = await client({
    island,
    torrent,
    folder: place,
    port: 7000 + 2 * at.number + (role === 'seeds' ? 0 : 1),
    more: at.more ?? [],
  })
  context.onTestFinished(async () => {
    await program.end('SIGKILL')
  })
  context.onTestFailed(() => console.error(`${name} ${role}\n${program.output()}`))
  return { file: join(place, 'film.bin'), program }
}

test.concurrent.for(pairs)(
  'over $transport $leecher finds $seeder and downloads all of it',
  { timeout: 90_000 },
  async ({ transport, seeder, leecher, number }, context) => {
    context.skip(noHosts || isMissing(seeder) || isMissing(leecher))
    const url = tracker.urls.find((one) => one.startsWith(transport)) ?? ''
    const content = seededBytes(number, 300_000)
    const { file, infoHash } = metainfo('film.bin', content, url)
    await run(context, seeder, 'seeds', file, { number, content })
    await until(async () => (await tracker.seedersOf(infoHash)) === 1, {
      within: 40_000,
      what: `${seeder} has announced`,
    })
    const download = await run(context, leecher, 'downloads', file, { number })
    await until(async () => (await sha256OfFile(download.file)) === sha256(content), {
      within: 40_000,
      every: 100,
      what: `${leecher} has all of it`,
    })
    expect(download.program.ended).toBeUndefined()
  },
)

test.concurrent('over WebSocket a stock browser finds WebTorrent in Node, and it the browser', async (context) => {
  context.skip(noHosts || lacks('chromium'))
  const browser = await StockBrowser.launch()
  try {
    const [seeded, ofBrowser] = [seededBytes(98, 300_000), seededBytes(99, 300_000)]
    const { file, infoHash } = metainfo('film.bin', seeded, tracker.webSocketUrl)
    await run(context, 'WebTorrent', 'seeds', file, { number: 98, content: seeded, more: ['--answers'] })
    await until(async () => (await tracker.seedersOf(infoHash)) === 1, {
      within: 40_000,
      what: 'WebTorrent has announced',
    })
    const magnet = `magnet:?xt=urn:btih:${infoHash}&tr=${encodeURIComponent(tracker.webSocketUrl)}`
    expect((await browser.download(magnet, 30_000)).sha256).toBe(sha256(seeded))

    const seeding = await browser.seed('film.bin', ofBrowser, tracker.webSocketUrl)
    await until(async () => (await tracker.seedersOf(seeding.infoHash)) === 1, {
      within: 40_000,
      what: 'the browser has announced',
    })
    const torrent = metainfo('film.bin', ofBrowser, tracker.webSocketUrl, seeding.pieceLength)
    expect(torrent.infoHash).toBe(seeding.infoHash)
    const download = await run(context, 'WebTorrent', 'downloads', torrent.file, { number: 99 })
    await until(async () => (await sha256OfFile(download.file)) === sha256(ofBrowser), {
      within: 40_000,
      what: 'it has all of it',
    })
  } finally {
    await browser.close()
  }
})
