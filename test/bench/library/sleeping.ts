import { join } from 'node:path'
import { Program, until } from '../../harness/index.ts'
import { type Figures, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'
import { BenchTrackers } from './trackers.ts'
import { residentBytes } from './usage.ts'

/** What the bar's trackers ask for, in seconds. */
const interval = 120
const references = { libtorrent: 2000, webtorrent: 100 }

export const sleeping: Part = { name: 'sleeping', keys: ['bytes_per_sleeping_item'], run }

async function run({ folder, items, library }: Stage): Promise<Figures> {
  const trackers = await BenchTrackers.open(interval)
  try {
    const empty = await settled(join(folder, 'empty'), trackers, 0)
    console.log(`an empty daemon takes ${(empty / 2 ** 20).toFixed(0)} MB`)
    const full = await settled(await library(), trackers, items)
    const each = round((full - empty) / items, 0)
    const [libtorrent, webtorrent] = [await ofLibtorrent(folder), await ofWebtorrent()]
    tell(
      `bytes per sleeping item, ${items} items`,
      `${each} B`,
      `libtorrent ${libtorrent} B (${references.libtorrent}), WebTorrent ${webtorrent} B (${references.webtorrent})`,
    )
    return { bytes_per_sleeping_item: each }
  } finally {
    await trackers.close()
  }
}

/** Bytes of a daemon in memory once every item of its folder was announced to both trackers. */
async function settled(folder: string, trackers: BenchTrackers, items: number): Promise<number> {
  trackers.forget()
  const node = daemon(folder, [trackers.http, trackers.webSocket])
  try {
    await node.start()
    await node.ready(120_000)
    const started = performance.now()
    await until(() => trackers.announcedToBoth >= items, {
      within: 3 * interval * 1000,
      every: 500,
      what: `all items are announced to both trackers (${items})`,
    })
    const seconds = (performance.now() - started) / 1000
    if (items > 0) console.log(`announced ${items} items to both trackers in ${seconds.toFixed(0)} s`)
    // Nothing that begins with a start is still under way.
    await new Promise((resolve) => setTimeout(resolve, 15_000))
    return residentBytes(node.pid)
  } finally {
    await node.stop()
  }
}

/** The same of clients nobody here wrote, on fewer torrents of one piece. */
async function ofLibtorrent(folder: string): Promise<number> {
  const trackers = await BenchTrackers.open(interval)
  const script = join(import.meta.dirname, 'sleeping-libtorrent.py')
  const args = [script, String(references.libtorrent), folder, trackers.http]
  return await bytesEach(new Program({ name: 'libtorrent', command: '/usr/bin/python3', args }), trackers, () => {
    return trackers.announcedByHttp >= references.libtorrent
  })
}

async function ofWebtorrent(): Promise<number> {
  const trackers = await BenchTrackers.open(interval)
  const script = join(import.meta.dirname, 'sleeping-webtorrent.ts')
  const args = [script, String(references.webtorrent), trackers.webSocket]
  return await bytesEach(new Program({ name: 'webtorrent', command: process.execPath, args }), trackers, () => {
    return trackers.announcedByWebSocket >= references.webtorrent
  })
}

/** A client prints {"ready": n} when it has nothing yet, waits for a signal to go on, and {"added": n} afterwards. */
async function bytesEach(client: Program, trackers: BenchTrackers, announced: () => boolean): Promise<number> {
  const says = (key: string) => () =>
    client.found((line) => (line.startsWith('{') ? (JSON.parse(line) as Record<string, number>)[key] : undefined))
  try {
    await until(says('ready'), { within: 30_000, what: `${client.name} is ready` })
    const before = residentBytes(client.pid)
    process.kill(client.pid, 'SIGUSR2')
    const added = await until(says('added'), { within: 60_000, what: `${client.name} has its torrents` })
    await until(announced, { within: 120_000, what: `${client.name} announced its torrents` })
    await new Promise((resolve) => setTimeout(resolve, 5000))
    return round((residentBytes(client.pid) - before) / added, 0)
  } catch (error) {
    throw new Error(client.output(), { cause: error })
  } finally {
    await client.end('SIGKILL')
    await trackers.close()
  }
}
