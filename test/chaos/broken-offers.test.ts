import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { backToLevel, footprint, populate, type Population, Seeder, sha256, Tracker, until } from '../harness/index.ts'
import { RawSocket } from '../harness/announces.ts'
import { lacks } from '../harness/tools.ts'
import { StockBrowser } from '../interop/browser.ts'
import { wellFormedOffers } from './broken-offers.ts'

const items = 40
/** Announces with ten offers each. */
const announces = 400
/** What 4,000 offers may leave behind: 4 KB of each alive, or 32 KB of each with the allocators, are too much. */
const allowed = { liveBytes: 16 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 20 }

const missing = lacks('chromium')
let folder: string
let tracker: Tracker
let seeder: Seeder
let population: Population
let browser: StockBrowser

beforeAll(async () => {
  if (missing) return
  folder = await mkdtemp(join(tmpdir(), 'eldernode-offers-'))
  // A browser whose offers found no place makes new ones every fifth of it.
  tracker = new Tracker({ 'announce.intervalSeconds': 25 })
  await tracker.start()
  const settings = { 'network.allowPrivate': true, 'swarm.trackers': [tracker.webSocketUrl] }
  seeder = new Seeder('node', join(folder, 'node'), settings, { inspected: true })
  population = await populate(seeder.folder, { items, size: 16_384, published: true })
  await seeder.start()
  await seeder.ready()
  browser = await StockBrowser.launch()
})

afterAll(async () => {
  if (missing) return
  await browser?.close()
  await seeder?.stop()
  await tracker.stop()
  await rm(folder, { recursive: true, force: true })
})

const announced = (index: number): Promise<boolean> =>
  until(async () => (await tracker.seedersOf(population.infoHash(index))) > 0, {
    within: 60_000,
    what: `item ${index} is announced`,
  })

async function serves(index: number): Promise<boolean> {
  const magnet = `magnet:?xt=urn:btih:${population.infoHash(index)}&tr=${tracker.webSocketUrl}`
  return (await browser.download(magnet, 45_000)).sha256 === sha256(population.bytes(index))
}

async function offerAll(socket: RawSocket, name: string): Promise<void> {
  for (let number = 0; number < announces; number++) {
    const offers = Array.from({ length: 10 }, (_, index) => ({
      offer: wellFormedOffers[(number + index * 3) % wellFormedOffers.length],
      offer_id: `${number}-${index}`.padEnd(20, '.'),
    }))
    socket.send({
      action: 'announce',
      info_hash: Buffer.from(population.infoHash(number % 20), 'hex').toString('latin1'),
      peer_id: name.padEnd(20, '.'),
      left: 1,
      numwant: 10,
      offers,
    })
    await until(() => socket.take(), { within: 20_000, every: 1, what: 'the tracker answers' })
  }
}

test.skipIf(missing)('thousands of offers that lead nowhere, passed on by a tracker, keep no browser out', async () => {
  onTestFailed(() => console.error(`${seeder.output()}\n${tracker.output()}`))
  const { pid } = seeder
  for (let index = 0; index < items; index++) await announced(index)
  expect(await serves(30)).toBe(true)
  const before = await footprint(seeder)
  const sockets = await Promise.all(['one', 'two'].map(() => RawSocket.open(tracker.webSocketUrl)))
  const offering = Promise.all(sockets.map((socket, index) => offerAll(socket, `-XX0001-${index}`)))
  expect(await serves(31)).toBe(true)
  await offering
  expect(await serves(32)).toBe(true)
  for (const socket of sockets) await socket.close()
  await backToLevel(seeder, before, allowed)
  expect(await serves(33)).toBe(true)
  expect(seeder.isRunning && seeder.pid).toBe(pid)
  expect(await seeder.get('/health')).toMatchObject({ status: 'healthy' })
})
