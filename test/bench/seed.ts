import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Program, Seeder, seededBytes, until } from '../harness/index.ts'

/**
 * How fast the seeder serves 1 GiB to a libtorrent leecher over loopback, beside a libtorrent seeder that serves the
 * same leecher. The two alternate, for a machine's speed drifts, and the medians are compared.
 */
const size = Number(process.env['SEED_BYTES'] ?? 1024 ** 3)
const rounds = Number(process.env['ROUNDS'] ?? 5)
const name = 'bench.bin'

// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))

function libtorrent(mode: 'seed' | 'leech', args: readonly string[]): Program {
  const script = join(import.meta.dirname, 'reference-peer.py')
  return new Program({ name: `libtorrent ${mode}`, command: '/usr/bin/python3', args: [script, mode, ...args] })
}

/** A number that the program prints as JSON. */
function printed(program: Program, key: string): number | undefined {
  return program.found((line) => (line.startsWith('{') ? (JSON.parse(line) as Record<string, number>)[key] : undefined))
}

/** Megabytes per second of one download. */
async function leech(torrent: string, port: number): Promise<number> {
  const target = await mkdtemp(join(folder, 'target-'))
  const leecher = libtorrent('leech', [torrent, target, String(port)])
  const code = await leecher.exited()
  const seconds = printed(leecher, 'seconds')
  await rm(target, { recursive: true })
  if (code !== 0 || seconds === undefined) throw new Error(`the leecher ended with ${code}\n${leecher.output()}`)
  return size / 1e6 / seconds
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

const source = join(folder, 'source')
const torrent = join(folder, 'bench.torrent')
const seeder = new Seeder('seeder', join(folder, 'data'), { 'network.allowPrivate': true, 'swarm.trackers': [] })
let reference: Program | undefined
try {
  await mkdir(source)
  await seeder.start()
  await seeder.ready()
  const bytes = seededBytes(1, size)
  await writeFile(join(source, name), bytes)
  const item = await seeder.publish(name, bytes)
  const response = await fetch(`${seeder.url}/v1/media/${item.id}/torrent`)
  await writeFile(torrent, new Uint8Array(await response.arrayBuffer()))
  const ours = Number(/[?&]x\.pe=[^&]*(?::|%3A)(\d+)/.exec(item.magnet)?.[1])
  reference = libtorrent('seed', [torrent, source])
  const theirs = await until(() => reference && printed(reference, 'port'), {
    within: 30_000,
    what: 'the libtorrent seeder listens',
  })
  const rates: { ours: number; theirs: number }[] = []
  // Round 0 warms the page cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const rate = { theirs: await leech(torrent, theirs), ours: await leech(torrent, ours) }
    if (round > 0) rates.push(rate)
    console.log(`round ${round}: eldernode ${rate.ours.toFixed(0)} MB/s, libtorrent ${rate.theirs.toFixed(0)} MB/s`)
  }
  const [own, other] = [median(rates.map((rate) => rate.ours)), median(rates.map((rate) => rate.theirs))]
  console.log(`median:  eldernode ${own.toFixed(0)} MB/s, libtorrent ${other.toFixed(0)} MB/s`)
  console.log(JSON.stringify({ bench: 'seed', figures: { rate_ratio: Number((own / other).toFixed(3)) } }))
} finally {
  await reference?.end('SIGKILL')
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
}
