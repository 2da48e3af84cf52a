import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Seeder } from '../../harness/index.ts'
import { median, round, tell, type Part, type Stage } from './figures.ts'
import { makeSource, renewSource } from './source.ts'

const size = 1024 ** 3
const run = promisify(execFile)

/** The arguments of curl that publish the file at `source` on a seeder. */
export type Way = (url: string, source: string, name: string) => string[]

async function timed(work: () => Promise<unknown>): Promise<number> {
  await run('sync')
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function byHand(source: string, copy: string): Promise<number> {
  const seconds = await timed(async () => {
    await run('dd', [`if=${source}`, `of=${copy}`, 'bs=1M', 'conv=fsync'])
    await run('transmission-create', ['-o', `${copy}.torrent`, copy])
  })
  await Promise.all([rm(copy), rm(`${copy}.torrent`)])
  return seconds
}

/**
 * 1 GiB until the answer says that it is durable and seeded, against what an operator would do by hand: a copy with
 * `dd bs=1M conv=fsync`, then `transmission-create`. Both read the same file from the page cache and write to the same
 * disk, in turns; the median of the ratios counts.
 */
export function largePart(name: string, key: string, way: Way): Part {
  return { name, keys: [key], run: async (stage) => ({ [key]: await ratioOf(stage, name, way) }) }
}

async function ratioOf(stage: Stage, name: string, way: Way): Promise<number> {
  const folder = join(stage.folder, name)
  await mkdir(folder)
  const [source, copy] = [join(folder, 'source'), join(folder, 'copy')]
  const seeder = new Seeder('bench', join(folder, 'data'), { 'network.allowPrivate': true })
  const ratios: number[] = []
  const times: number[] = []
  try {
    await makeSource(source, size)
    await seeder.start()
    await seeder.ready()
    // The first of each is not counted: memory is touched and code compiled for the first time.
    for (let n = 0; n <= stage.rounds; n++) {
      await renewSource(source, `${name} ${n}`)
      const reference = await byHand(source, copy)
      const ours = await timed(async () => {
        const login = ['--header', `authorization: Bearer ${seeder.token}`]
        const quiet = ['--silent', '--show-error', '--fail-with-body', '--noproxy', '*']
        const { stdout } = await run('curl', [...quiet, ...login, ...way(seeder.url, source, `${n}.bin`)])
        const answer = JSON.parse(stdout) as { size: number }
        if (answer.size < size) throw new Error(`the seeder took ${answer.size} bytes of ${size}`)
      })
      if (n === 0) continue
      ratios.push(ours / reference)
      times.push(ours)
      tell(`${name}, 1 GiB, round ${n}`, `${ours.toFixed(2)} s`, `by hand ${reference.toFixed(2)} s`)
    }
  } finally {
    await seeder.stop()
    await rm(folder, { recursive: true, force: true })
  }
  tell(`${name}, 1 GiB, median`, `${median(times).toFixed(2)} s`, `ratio ${median(ratios).toFixed(3)}`)
  return round(median(ratios), 3)
}
