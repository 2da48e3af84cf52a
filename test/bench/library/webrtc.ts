import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Media, seededBytes, type Seeder, Tracker } from '../../harness/index.ts'
import { StockBrowser } from '../../interop/browser.ts'
import { type Accounts, perGib, readAccounts, shownAccounts, totalCpu } from './accounts.ts'
import { bareChannelRate } from './bare-channel.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'
import { magnetOf, StockSeeder } from './stock.ts'

const name = 'bench.bin'
const size = 200_000_000
const rounds = Number(process.env['ROUNDS'] ?? 5)

/** Milliseconds for 200 MB; what is slower has lost its only connection. */
const patience = 60_000
/** Downloads from stock WebTorrent that may come to a halt. */
const mostStalls = 3

export const webRtc: Part = { name: 'webrtc', keys: ['webrtc_ratio'], run }

interface Pace {
  /** Megabytes per second, from the first byte to the last. */
  rate: number
  /** Seconds from adding the magnet. */
  firstByte: number
  /** Of the seeder and the browser, for one GiB. */
  costs: Accounts
}

/** A stock client in Chromium downloads one item from the seeder and from stock WebTorrent in turns. */
async function run({ folder: stage }: Stage): Promise<Figures> {
  const folder = join(stage, 'webrtc')
  // One for each, for all the seeders of an item that a tracker knows serve it together.
  const [tracker, stockTracker] = [new Tracker(), new Tracker()]
  await mkdir(folder, { recursive: true })
  await Promise.all([tracker.start(), stockTracker.start()])
  const node = daemon(join(folder, 'data'), [tracker.webSocketUrl])
  let [browser, stock]: [StockBrowser | undefined, StockSeeder | undefined] = [undefined, undefined]
  try {
    await node.start()
    await node.ready()
    const item = await publish(node, folder)
    stock = await StockSeeder.start(join(folder, 'bench.torrent'), folder, stockTracker, true)
    browser = await StockBrowser.launch()
    const all: { ours: Pace; theirs: Pace }[] = []
    let stalls = 0
    for (let i = 0; i <= rounds; i++) {
      const ours = await paceOf(browser, item, magnetOf(item.id, tracker), node.pid)
      const theirs = await paceOf(browser, item, magnetOf(item.id, stockTracker), stock.pid).catch((error: unknown) => {
        if (!String(error).includes('not within') || ++stalls > mostStalls) throw error
        console.log(`round ${i}: stock WebTorrent came to a halt, and is asked once more: ${String(error)}`)
      })
      if (theirs === undefined) {
        i--
        continue
      }
      // Round 0 loads what every later one needs.
      if (i > 0) all.push({ ours, theirs })
      console.log(`round ${i}: eldernode ${shown(ours)}\nround ${i}: stock WebTorrent ${shown(theirs)}`)
    }
    const figure = round(median(all.map(({ ours, theirs }) => ours.rate / theirs.rate)), 2)
    const rate = (pick: (each: { ours: Pace; theirs: Pace }) => Pace): string =>
      `${median(all.map((each) => pick(each).rate)).toFixed(1)} MB/s`
    tell(
      '200 MB to Chromium over WebRTC, of stock',
      `${figure} (${rate(({ ours }) => ours)})`,
      `stock WebTorrent, its candidates completed: ${rate(({ theirs }) => theirs)}`,
    )
    const costs = (pick: (each: { ours: Pace; theirs: Pace }) => Pace): string =>
      median(all.map((each) => totalCpu(pick(each).costs))).toFixed(1)
    const [ours, theirs] = [costs((each) => each.ours), costs((each) => each.theirs)]
    console.log(`all processes together: ${ours} CPU-s per GiB, with stock WebTorrent ${theirs}`)
    const bare = await bareChannelRate(browser, size)
    console.log(`a bare channel to a page that only counts bytes: ${bare.toFixed(1)} MB/s`)
    return { webrtc_ratio: figure }
  } finally {
    await browser?.close()
    await stock?.stop()
    await node.stop()
    await Promise.all([tracker.stop(), stockTracker.stop()])
  }
}

async function publish(node: Seeder, folder: string): Promise<Media> {
  const bytes = seededBytes(1, size)
  await writeFile(join(folder, name), bytes)
  const item = await node.publish(name, bytes)
  const response = await fetch(`${node.url}/v1/media/${item.id}/torrent`)
  const torrent = Buffer.from(await response.arrayBuffer())
  // Keys of a dictionary are sorted: nothing but trackers comes before `info`.
  const withoutTrackers = Buffer.concat([Buffer.from('d'), torrent.subarray(torrent.indexOf('4:infod'))])
  await writeFile(join(folder, 'bench.torrent'), withoutTrackers)
  return item
}

async function paceOf(browser: StockBrowser, item: Media, magnet: string, pid: number): Promise<Pace> {
  const page = await browser.page()
  try {
    const watched = new Map([[pid, 'seeder'], ...(await browser.processes())])
    const before = readAccounts(watched)
    const { sha256, bytes, elapsed, firstByte } = await browser.downloadIn(page, magnet, patience)
    const costs = perGib(before, readAccounts(watched), bytes)
    if (sha256 !== item.sha256) throw new Error(`the browser has other bytes than were published: ${sha256}`)
    return { rate: bytes / 1000 / (elapsed - firstByte), firstByte: firstByte / 1000, costs }
  } finally {
    await page.context().close()
  }
}

function shown({ rate, firstByte, costs }: Pace): string {
  return `${rate.toFixed(1)} MB/s after ${firstByte.toFixed(2)} s at ${shownAccounts(costs)}`
}
