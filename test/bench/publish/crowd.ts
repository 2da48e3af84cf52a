import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Seeder } from '../../harness/index.ts'
import { round, tell, type Figures, type Part, type Stage } from './figures.ts'
import { RawClient } from './raw-client.ts'

const block = 1024 ** 2
const size = Number(process.env['CROWD_MB'] ?? 200) * 10 ** 6
const uploads = 100

function* bytesOf(): Generator<Uint8Array> {
  const bytes = randomBytes(block)
  for (let left = size; left > 0; left -= block) yield left < block ? bytes.subarray(0, left) : bytes
}

/** The most memory that the seeder had resident while 100 uploads ran at once. */
async function run(stage: Stage): Promise<Figures> {
  const folder = join(stage.folder, 'crowd')
  const seeder = new Seeder('bench', folder, { 'network.allowPrivate': true })
  try {
    await seeder.start()
    await seeder.ready()
    const start = performance.now()
    const upload = async (_: unknown, n: number) => {
      const client = await RawClient.connect(seeder.url, seeder.token)
      const status = await client.put(`${n}.bin`, size, bytesOf())
      if (status !== 201) throw new Error(`the seeder answered ${status}`)
      client.close()
    }
    await Promise.all(Array.from({ length: uploads }, upload))
    const seconds = (performance.now() - start) / 1000
    const status = await readFile(`/proc/${seeder.pid}/status`, 'utf8')
    const peak = (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 10 ** 6
    const rate = (uploads * size) / 10 ** 6 / seconds
    tell(
      `${uploads} uploads of ${size / 10 ** 6} MB at once`,
      `${peak.toFixed(0)} MB resident`,
      `${rate.toFixed(0)} MB/s`,
    )
    return { rss_mb_100_uploads: round(peak, 0) }
  } finally {
    await seeder.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

export const crowd: Part = { name: 'crowd', keys: ['rss_mb_100_uploads'], run }
