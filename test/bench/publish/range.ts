import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Program, Seeder } from '../../harness/index.ts'
import { median, round, tell, type Part, type Stage } from './figures.ts'
import { makeSource } from './source.ts'

const size = 1024 ** 3
const rangeBytes = 1024 ** 2
const clients = 8
const seconds = 4
/** Each server has this core to itself, the clients the other. */
const [serverCore, clientCore] = ['0', '1']
const run = promisify(execFile)

/** Asks for one aligned stretch after the other, in no order. */
const script = `
local path = os.getenv('BENCH_PATH')
math.randomseed(7)
request = function()
  local at = math.random(0, ${size / rangeBytes - 1}) * ${rangeBytes}
  return wrk.format('GET', path, { Range = string.format('bytes=%d-%d', at, at + ${rangeBytes - 1}) })
end
done = function(summary)
  local errors = summary.errors
  print(string.format('{"bytes":%d,"us":%d,"failed":%d}', summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`

const nginxConfig = (folder: string, port: number): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Bytes per second that the clients get of a file. */
async function rateOf(origin: string, path: string, lua: string): Promise<number> {
  const args = ['-c', clientCore, 'wrk', '-t', '1', '-c', `${clients}`, '-d', `${seconds}s`, '-s', lua, origin]
  const { stdout } = await run('taskset', args, { env: { ...process.env, BENCH_PATH: path } })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  const { bytes, us, failed } = JSON.parse(last) as { bytes: number; us: number; failed: number }
  if (failed > 0) throw new Error(`${failed} requests of ${origin} failed\n${stdout}`)
  return (bytes / us) * 1e6
}

/** Ranges of 1 MiB of a file in the page cache, against nginx with sendfile, each server on one core of its own. */
export const range: Part = {
  name: 'range',
  keys: ['range_rate_ratio'],
  run: async (stage) => ({ range_rate_ratio: await ratio(stage) }),
}

async function ratio(stage: Stage): Promise<number> {
  const folder = join(stage.folder, 'range')
  await mkdir(folder, { mode: 0o755 })
  const [source, lua] = [join(folder, 'file'), join(folder, 'ranges.lua')]
  const port = await freePort()
  await writeFile(lua, script)
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(folder, port))
  // The clients are one address.
  const settings = { 'network.allowPrivate': true, 'rate.address': 0 }
  const pinned = { within: ['taskset', '-c', serverCore] }
  const seeder = new Seeder('bench', join(folder, 'data'), settings, pinned)
  const nginx = new Program({
    name: 'nginx',
    command: 'taskset',
    args: ['-c', serverCore, 'nginx', '-p', folder, '-c', join(folder, 'nginx.conf')],
  })
  const rates: { ours: number; reference: number }[] = []
  try {
    await makeSource(source, size)
    await seeder.start()
    await seeder.ready()
    const login = ['--header', `authorization: Bearer ${seeder.token}`, '--noproxy', '*']
    const put = ['--silent', '--fail-with-body', ...login, '--upload-file', source, `${seeder.url}/v1/media?name=file`]
    const { id } = JSON.parse((await run('curl', put)).stdout) as { id: string }
    for (let n = 0; n <= stage.rounds; n++) {
      const reference = await rateOf(`http://127.0.0.1:${port}`, '/file', lua)
      const ours = await rateOf(seeder.url, `/v1/media/${id}/content`, lua)
      if (n === 0) continue
      rates.push({ ours, reference })
      tell(`ranges of 1 MiB, ${clients} clients, round ${n}`, gigabytes(ours), `nginx ${gigabytes(reference)}`)
    }
  } finally {
    await Promise.all([seeder.stop(), nginx.stop()])
    await rm(folder, { recursive: true, force: true })
  }
  const ratios = median(rates.map(({ ours, reference }) => ours / reference))
  tell('ranges of 1 MiB, median', gigabytes(median(rates.map(({ ours }) => ours))), `ratio ${ratios.toFixed(3)}`)
  return round(ratios, 3)
}

const gigabytes = (rate: number): string => `${(rate / 1e9).toFixed(2)} GB/s`
