import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Media, seededBytes, type Seeder, Tracker } from '../../harness/index.ts'
import { StockBrowser } from '../../interop/browser.ts'
import { type Accounts, perGib, readAccounts, shownAccounts, totalCpu } from './accounts.ts'
import { bareChannelRate } from './bare-channel.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'
import { magnetOf, type Seeded, StockSeeder } from './stock.ts'

const name = 'bench.bin'
const size = 200_000_000
const rounds = Number(process.env['ROUNDS'] ?? 5)

/** Milliseconds for 200 MB; what is slower has lost its only connection. */
const patience = 60_000
/** Times that one download from stock WebTorrent may come to a halt. */
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

/** Who seeds the file, and what was measured of it, round by round. */
interface Contender {
  title: string
  magnet: string
  pid: number
  mayStall: boolean
  paces: Pace[]
}

/**
 * A stock client in Chromium downloads one file in turns: from the seeder, from stock WebTorrent as it seeds that file, which
 * is the reference, and from stock WebTorrent with the torrent that the seeder made, whose pieces are larger.
 */
async function run({ folder: stage }: Stage): Promise<Figures> {
  const folder = join(stage, 'webrtc')
  // One for each, for all the seeders of an item that a tracker knows serve it together.
  const [tracker, stockTracker, piecesTracker] = [new Tracker(), new Tracker(), new Tracker()]
  const trackers = [tracker, stockTracker, piecesTracker]
  await mkdir(folder, { recursive: true })
  await Promise.all(trackers.map((each) => each.start()))
  const node = daemon(join(folder, 'data'), [tracker.webSocketUrl])
  const stocks: StockSeeder[] = []
  let browser: StockBrowser | undefined
  try {
    await node.start()
    await node.ready()
    const item = await publish(node, folder)
    const seed = async (title: string, what: Seeded, of: Tracker): Promise<Contender> => {
      const stock = await StockSeeder.start(what, folder, of, true)
      stocks.push(stock)
      return { title, magnet: magnetOf(stock.infoHash, of), pid: stock.pid, mayStall: true, paces: [] }
    }
    const magnet = magnetOf(item.id, tracker)
    const ours: Contender = { title: 'eldernode', magnet, pid: node.pid, mayStall: false, paces: [] }
    const theirs = await seed('stock WebTorrent', { file: name }, stockTracker)
    const withOurPieces = await seed(
      'stock WebTorrent with the same pieces',
      { torrent: join(folder, 'bench.torrent') },
      piecesTracker,
    )
    browser = await StockBrowser.launch()
    const contenders = [ours, theirs, withOurPieces]
    for (let i = 0; i <= rounds; i++) {
      for (const contender of contenders) {
        const pace = await paceOf(browser, item, contender)
        console.log(`round ${i}: ${contender.title} ${shown(pace)}`)
        // Round 0 loads what every later one needs.
        if (i > 0) contender.paces.push(pace)
      }
    }
    const figure = ratioTo(theirs, ours)
    tell(
      '200 MB to Chromium over WebRTC, of stock',
      `${figure} (${rateOf(ours)})`,
      `${theirs.title}: ${rateOf(theirs)}`,
    )
    console.log(`${ratioTo(withOurPieces, ours)} of ${withOurPieces.title}: ${rateOf(withOurPieces)}`)
    const costs = contenders.map(({ title, paces }) => `${title} ${median(paces.map(totalOf)).toFixed(1)}`)
    console.log(`all processes together, CPU-s per GiB: ${costs.join(', ')}`)
    const bare = await bareChannelRate(browser, size)
    console.log(`a bare channel to a page that only counts bytes: ${bare.toFixed(1)} MB/s`)
    return { webrtc_ratio: figure }
  } finally {
    await browser?.close()
    await Promise.all([...stocks, node, ...trackers].map((each) => each.stop()))
  }
}

/** The median of the rounds, each beside the one that went on next to it. */
function ratioTo(reference: Contender, { paces }: Contender): number {
  return round(median(paces.map(({ rate }, i) => rate / (reference.paces[i]?.rate ?? Number.NaN))), 2)
}

const rateOf = ({ paces }: Contender): string => `${median(paces.map(({ rate }) => rate)).toFixed(1)} MB/s`

const totalOf = ({ costs }: Pace): number => totalCpu(costs)

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

/** One download; one from stock WebTorrent that comes to a halt is asked for again. */
async function paceOf(browser: StockBrowser, item: Media, contender: Contender): Promise<Pace> {
  for (let stalls = 0; ; stalls++) {
    try {
      return await download(browser, item, contender)
    } catch (error) {
      const isStall = contender.mayStall && String(error).includes('not within')
      if (!isStall || stalls === mostStalls) throw error
      console.log(`${contender.title} came to a halt, and is asked once more: ${String(error)}`)
    }
  }
}

async function download(browser: StockBrowser, item: Media, { magnet, pid }: Contender): Promise<Pace> {
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
