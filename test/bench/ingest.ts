import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { seededBytes, Seeder } from '../harness/index.ts'

/**
 * 1 GiB by `PUT` until the answer says that it is durable and seeded, against what an operator would do by hand: a
 * copy with `dd bs=1M conv=fsync`, then `transmission-create`. Both read the same file from the page cache and write to
 * the same disk, in turns; the median of the ratios counts.
 */
const size = 1024 ** 3
const rounds = Number(process.env['ROUNDS'] ?? 5)

const run = promisify(execFile)
// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
const source = join(folder, 'source')
const copy = join(folder, 'copy')

async function timed(work: () => Promise<unknown>): Promise<number> {
  await run('sync')
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function reference(): Promise<number> {
  const seconds = await timed(async () => {
    await run('dd', [`if=${source}`, `of=${copy}`, 'bs=1M', 'conv=fsync'])
    await run('transmission-create', ['-o', `${copy}.torrent`, copy])
  })
  await Promise.all([rm(copy), rm(`${copy}.torrent`)])
  return seconds
}

async function ours(seeder: Seeder, round: number): Promise<number> {
  const args = ['--silent', '--show-error', '--fail-with-body', '--noproxy', '*', '--upload-file', source]
  const seconds = await timed(async () => {
    const url = `${seeder.url}/v1/media?name=${round}.bin`
    const { stdout } = await run('curl', [...args, '--header', `authorization: Bearer ${seeder.token}`, url])
    const answer = JSON.parse(stdout) as { size: number }
    if (answer.size !== size) throw new Error(`the seeder took ${answer.size} bytes of ${size}`)
  })
  return seconds
}

/** Makes the source one that was never uploaded before. */
async function renew(round: number): Promise<void> {
  const handle = await open(source, 'r+')
  await handle.write(createHash('sha256').update(`round ${round}`).digest(), 0, 32, 0)
  await handle.close()
}

function* randomBytes(): Generator<Uint8Array> {
  const block = 1024 ** 2
  for (let n = 0; n < size / block; n++) yield seededBytes(n, block)
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
const row = (...cells: (string | number)[]) =>
  cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell).padStart(12)).join('')

const seeder = new Seeder('bench', join(folder, 'data'), { 'network.allowPrivate': true })
try {
  await pipeline(Readable.from(randomBytes()), createWriteStream(source))
  await seeder.start()
  await seeder.ready()
  console.log(`1 GiB, ${rounds} rounds, ${availableParallelism()} cores, seconds`)
  console.log(row('round', 'eldernode', 'dd+create', 'ratio'))
  const results: { ours: number; reference: number }[] = []
  // The first of each is not counted: memory is touched and code compiled for the first time.
  for (let round = 0; round <= rounds; round++) {
    await renew(round)
    const result = { reference: await reference(), ours: await ours(seeder, round) }
    if (round > 0) results.push(result)
    console.log(
      row(round === 0 ? 'warm-up' : `${round}`, result.ours, result.reference, result.ours / result.reference),
    )
  }
  const ratio = median(results.map((result) => result.ours / result.reference))
  console.log(row('median', median(results.map((r) => r.ours)), median(results.map((r) => r.reference)), ratio))
  console.log(JSON.stringify({ bench: 'ingest', figures: { ratio: Number(ratio.toFixed(3)) } }))
} finally {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
}
