import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Population, type Seeder, Tracker, until } from '../../harness/index.ts'
import { StockBrowser } from '../../interop/browser.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'
import { magnetOf, StockSeeder } from './stock.ts'

const samples = 9
/** Seconds that the reference is given. */
const patience = 60

export const browsing: Part = { name: 'browsing', keys: ['browser_first_byte_s'], run }

/** A stock client in Chromium adds magnets of sleeping items, which it can get over WebRTC only. */
async function run({ folder, items, library }: Stage): Promise<Figures> {
  const [data, population, tracker] = [await library(), new Population({ items }), new Tracker()]
  await tracker.start()
  const node = daemon(data, [tracker.webSocketUrl])
  let browser: StockBrowser | undefined
  try {
    await node.start()
    await node.ready(60_000)
    // Spread over the library; the first loads what every later one needs.
    const chosen = Array.from({ length: samples + 1 }, (_, i) => Math.floor((items / (samples + 1)) * i))
    const infoHashes = chosen.map((index) => population.infoHash(index))
    await until(() => areKnown(tracker, infoHashes), { within: 300_000, what: 'the items are announced', every: 500 })
    await until(() => isAsleep(node), { within: 180_000, what: 'everything is asleep', every: 500 })
    browser = await StockBrowser.launch()
    const times: number[] = []
    for (const infoHash of infoHashes) {
      const { firstByte } = await browser.download(magnetOf(infoHash, tracker), 60_000)
      times.push(firstByte / 1000)
    }
    const measured = times.slice(1)
    const figure = round(median(measured), 3)
    const slowest = Math.max(...measured).toFixed(2)
    const stock = await reference(join(folder, 'browsing'), browser, population)
    tell('magnet to first byte in Chromium, asleep', `${figure} s (slowest ${slowest})`, `stock WebTorrent: ${stock}`)
    return { browser_first_byte_s: figure }
  } finally {
    await browser?.close()
    await node.stop()
    await tracker.stop()
  }
}

/** What stock WebTorrent makes of the same, as it is: awake, and with its offers that collide with the browser's. */
async function reference(folder: string, browser: StockBrowser, population: Population): Promise<string> {
  const tracker = new Tracker()
  await mkdir(folder, { recursive: true })
  const { metainfo, infoHash } = population.metainfo(0)
  await writeFile(join(folder, population.name(0)), population.bytes(0))
  await writeFile(join(folder, 'item.torrent'), metainfo)
  await tracker.start()
  const stock = await StockSeeder.start({ torrent: join(folder, 'item.torrent') }, folder, tracker)
  try {
    const { firstByte } = await browser.download(magnetOf(infoHash, tracker), patience * 1000)
    return `${(firstByte / 1000).toFixed(1)} s`
  } catch {
    return `none in ${patience} s`
  } finally {
    await stock.stop()
    await tracker.stop()
  }
}

async function areKnown(tracker: Tracker, infoHashes: readonly string[]): Promise<boolean> {
  const [announce = ''] = tracker.urls
  const url = new URL(announce.replace('/announce', '/scrape'))
  const query = infoHashes.map((infoHash) => `info_hash=${infoHash.replaceAll(/../g, '%$&')}`).join('&')
  const answer = await (await fetch(`${url.href}?${query}`)).text()
  return (answer.match(/8:completei1e/g) ?? []).length === infoHashes.length
}

async function isAsleep(node: Seeder): Promise<boolean> {
  const metrics = await (await fetch(`${node.url}/metrics`)).text()
  return /^eldernode_swarm_awake\S* 0$/m.test(metrics)
}
