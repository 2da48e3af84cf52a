import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { race } from './library/seeding.ts'

/**
 * How fast the seeder serves 1 GiB to a libtorrent leecher over loopback, beside a libtorrent seeder that serves the
 * same leecher. The two alternate, for a machine's speed drifts, and the medians are compared.
 */
const size = Number(process.env['SEED_BYTES'] ?? 1024 ** 3)
const rounds = Number(process.env['ROUNDS'] ?? 5)

// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
try {
  const { ours, theirs } = await race(folder, size, rounds)
  console.log(`median:  eldernode ${ours.rate.toFixed(0)} MB/s, libtorrent ${theirs.rate.toFixed(0)} MB/s`)
  const figures = { rate_ratio: Number((ours.rate / theirs.rate).toFixed(3)) }
  console.log(JSON.stringify({ bench: 'seed', figures }))
} finally {
  await rm(folder, { recursive: true, force: true })
}
