import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Program, Seeder, seededBytes, until } from '../../harness/index.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { cpuSeconds } from './usage.ts'

const name = 'bench.bin'

export const seeding: Part = { name: 'seeding', keys: ['cpu_per_gib_ratio', 'rate_ratio'], run }

async function run({ folder }: Stage): Promise<Figures> {
  const { ours, again, theirs } = await race(join(folder, 'seeding'), 1024 ** 3, 5)
  const figures = {
    cpu_per_gib_ratio: round(ours.cpu / theirs.cpu, 3),
    rate_ratio: round(ours.rate / theirs.rate, 3),
  }
  const seconds = `${ours.cpu.toFixed(2)} CPU-s, libtorrent ${theirs.cpu.toFixed(2)} CPU-s`
  const rates = `${ours.rate.toFixed(0)} MB/s, libtorrent ${theirs.rate.toFixed(0)} MB/s`
  tell('processor time to seed 1 GiB, of libtorrent', `${figures.cpu_per_gib_ratio}`, seconds)
  tell('rate to a libtorrent leecher, of libtorrent', `${figures.rate_ratio}`, rates)
  tell('the same again within a minute, no piece hashed', round(again.cpu / theirs.cpu, 3).toString(), shown(again))
  return figures
}

export interface Pace {
  /** Megabytes per second. */
  rate: number
  /** Seconds of processor time for one GiB. */
  cpu: number
}

/**
 * Has the seeder and a libtorrent seeder serve the same bytes to a libtorrent leecher in turns, for a machine's speed
 * drifts. Each round has an item of its own, of which no piece was read before, so that the seeder hashes every one.
 * @returns the medians of all rounds but the first, which warms both up; `again` is the second download of the round's
 * item, whose pieces were proven less than a minute ago
 */
export async function race(
  folder: string,
  size: number,
  rounds: number,
): Promise<{ ours: Pace; again: Pace; theirs: Pace }> {
  await mkdir(folder, { recursive: true })
  const seeder = new Seeder('seeder', join(folder, 'data'), { 'network.allowPrivate': true, 'swarm.trackers': [] })
  try {
    await seeder.start()
    await seeder.ready()
    const all: { ours: Pace; again: Pace; theirs: Pace }[] = []
    for (let i = 0; i <= rounds; i++) {
      const paces = await oneRound(folder, seeder, seededBytes(i + 1, size))
      const [ours, again, theirs] = [paces.ours, paces.again, paces.theirs].map(shown)
      console.log(`round ${i}: eldernode ${ours}; again ${again}; libtorrent ${theirs}`)
      if (i > 0) all.push(paces)
    }
    return {
      ours: middle(all.map(({ ours }) => ours)),
      again: middle(all.map(({ again }) => again)),
      theirs: middle(all.map(({ theirs }) => theirs)),
    }
  } finally {
    await seeder.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function oneRound(folder: string, seeder: Seeder, bytes: Uint8Array<ArrayBuffer>) {
  const [source, torrent] = [await mkdtemp(join(folder, 'source-')), join(folder, 'bench.torrent')]
  let reference: Program | undefined
  try {
    await writeFile(join(source, name), bytes)
    const item = await seeder.publish(name, bytes)
    const response = await fetch(`${seeder.url}/v1/media/${item.id}/torrent`)
    await writeFile(torrent, new Uint8Array(await response.arrayBuffer()))
    const ownPort = Number(/[?&]x\.pe=[^&]*(?::|%3A)(\d+)/.exec(item.magnet)?.[1])
    // Or the disk would be busy with both copies during what is measured.
    execFileSync('sync')
    const other = (reference = libtorrent('seed', [torrent, source]))
    const otherPort = await until(() => printed(other, 'port'), {
      within: 30_000,
      what: 'the libtorrent seeder listens',
    })
    const leech = async (pid: number, port: number): Promise<Pace> => {
      const before = cpuSeconds(pid)
      const rate = bytes.length / 1e6 / (await download(folder, torrent, port))
      return { rate, cpu: (cpuSeconds(pid) - before) * (1024 ** 3 / bytes.length) }
    }
    return {
      theirs: await leech(other.pid, otherPort),
      ours: await leech(seeder.pid, ownPort),
      again: await leech(seeder.pid, ownPort),
    }
  } finally {
    await reference?.end('SIGKILL')
    await rm(source, { recursive: true, force: true })
  }
}

const shown = ({ rate, cpu }: Pace): string => `${rate.toFixed(0)} MB/s, ${cpu.toFixed(2)} CPU-s per GiB`

const middle = (paces: readonly Pace[]): Pace => ({
  rate: median(paces.map(({ rate }) => rate)),
  cpu: median(paces.map(({ cpu }) => cpu)),
})

function libtorrent(mode: 'seed' | 'leech', args: readonly string[]): Program {
  const script = join(import.meta.dirname, '../reference-peer.py')
  return new Program({ name: `libtorrent ${mode}`, command: '/usr/bin/python3', args: [script, mode, ...args] })
}

/** A number that the program prints as JSON. */
function printed(program: Program, key: string): number | undefined {
  return program.found((line) => (line.startsWith('{') ? (JSON.parse(line) as Record<string, number>)[key] : undefined))
}

/** Seconds that a leecher takes. */
async function download(folder: string, torrent: string, port: number): Promise<number> {
  const target = await mkdtemp(join(folder, 'target-'))
  const leecher = libtorrent('leech', [torrent, target, String(port)])
  const code = await leecher.exited()
  const seconds = printed(leecher, 'seconds')
  await rm(target, { recursive: true })
  if (code !== 0 || seconds === undefined) throw new Error(`the leecher ended with ${code}\n${leecher.output()}`)
  return seconds
}
