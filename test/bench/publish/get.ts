import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Network, type Media, type Seeder, until } from '../../harness/index.ts'
import { median, round, tell, type Part, type Stage } from './figures.ts'

const size = 10_000_000
const run = promisify(execFile)

/** A 10 MB item, whole, from a node that does not hold it and hears of two that do; no tracker, all on loopback. */
export const get: Part = {
  name: 'get',
  keys: ['get_10mb_s'],
  run: async (stage) => ({ get_10mb_s: await seconds(stage) }),
}

async function seconds(stage: Stage): Promise<number> {
  const network = await Network.start({
    seeders: 3,
    tracker: false,
    settings: { 'replicas.target': 2, 'replicas.min': 1 },
  })
  const times: number[] = []
  try {
    const source = join(network.folder, 'source')
    // The first is not counted: code is compiled for the first time.
    for (let n = 0; n <= stage.rounds; n++) {
      await writeFile(source, randomBytes(size))
      const item = await publish(network.first, source, n)
      const reader = await otherThanHolders(network, item.id)
      const took = await read(reader, item)
      if (n === 0) continue
      times.push(took)
      tell(`10 MB that is not held, round ${n}`, `${took.toFixed(2)} s`, 'reach 1.0')
    }
  } finally {
    await network.close()
  }
  return round(median(times), 3)
}

async function publish(seeder: Seeder, source: string, n: number): Promise<Media> {
  const login = ['--header', `authorization: Bearer ${seeder.token}`, '--noproxy', '*']
  const target = `${seeder.url}/v1/media?name=${n}.bin`
  const { stdout } = await run('curl', ['--silent', '--fail-with-body', ...login, '--upload-file', source, target])
  return JSON.parse(stdout) as Media
}

/** The node that is not to hold the item, once the other one does and has told so. */
async function otherThanHolders(network: Network, id: string): Promise<Seeder> {
  const others = [network.at(1), network.at(2)]
  let reader: Seeder | undefined
  await until(
    async () => {
      const held = await Promise.all(others.map(async ({ url }) => (await fetch(`${url}/v1/media/${id}`)).ok))
      reader = others[held.indexOf(false)]
      if (reader === undefined || !held.includes(true)) return false
      return (await fetch(`${reader.url}/v1/media/${id}/content`, { method: 'HEAD' })).ok
    },
    { within: 60_000, what: 'two of three nodes hold the item' },
  )
  if (reader === undefined) throw new Error('every node holds the item')
  return reader
}

async function read({ url }: Seeder, { id, sha256 }: Media): Promise<number> {
  const format = '%{time_total} %{http_code} %header{cache-status}'
  const target = `${url}/v1/media/${id}/content`
  const args = ['--silent', '--noproxy', '*', '--output', '-', '--write-out', `%{stderr}${format}`, target]
  const { stdout, stderr } = await run('curl', args, { encoding: 'buffer', maxBuffer: 2 * size })
  const [time, status, ...cache] = stderr.toString().split(' ')
  const digest = createHash('sha256').update(stdout).digest('hex')
  if (status !== '200' || digest !== sha256 || !cache.join(' ').includes('fwd=uri-miss'))
    throw new Error(`${target} answered ${status}, ${cache.join(' ')}, ${stdout.length} bytes`)
  return Number(time)
}
