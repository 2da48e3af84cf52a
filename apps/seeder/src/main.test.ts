import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })
const patience = { timeout: 60_000, interval: 20 }

const script = new URL('./main.ts', import.meta.url).pathname
let folder: string
let children: ChildProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-main-'))
  children = []
})

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
})

interface Run {
  child: ChildProcess
  output(): string
  errors(): string
  exited: Promise<number | null>
}

function run(flags: string[], options: string[] = []): Run {
  const child = spawn(process.execPath, ['--conditions=@eldernode/source', ...options, script, ...flags], {
    env: { PATH: process.env['PATH'] },
  })
  children.push(child)
  let output = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  const exited = once(child, 'close').then(() => child.exitCode)
  return { child, output: () => output, errors: () => errors, exited }
}

const free = ['--http.port=0', '--swarm.port=0']
const seeder = (...flags: string[]) => run([`--data=${folder}/data`, ...free, ...flags])

async function started(node: Run): Promise<string> {
  const done = () => node.output().includes('"msg":"started"') || node.child.exitCode !== null
  await vi.waitUntil(done, patience)
  expect(node.errors()).not.toMatch(/Error/)
  const line = node
    .output()
    .split('\n')
    .find((text) => text.includes('"msg":"listening"'))
  return (JSON.parse(line ?? '{}') as { url: string }).url
}

test('prints help, its version and its settings, and ends', async () => {
  const [help, version, settings] = [run(['--help']), run(['--version']), run(['--print-config', '--data=/d'])]
  expect([await help.exited, await version.exited, await settings.exited]).toEqual([0, 0, 0])
  expect(help.output()).toMatch(/--http\.port[^]*--network\.owner[^]*--retention\.purgeAfter/)
  expect(version.output()).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(settings.output()).toMatch(/^data = "\/d" # flag --data$/m)
  expect(settings.output()).toMatch(/^http\.port = 8765 # default$/m)
})

test('wrong settings are all named, and stop the start', async () => {
  const trackers = Array.from({ length: 20 }, (_, i) => `http://${'x'.repeat(200)}.example/${i}`).join(',')
  const wrong = [
    '--http.port=70000',
    '--replicas.min=5',
    '--network.owner=short',
    '--nonsense=1',
    '--swarm.iceServers=turns:user:secret@host:5349',
  ]
  const node = seeder(...wrong, `--swarm.trackers=${trackers}`)
  expect(await node.exited).toBe(78)
  for (const key of ['http.port', 'replicas.min', 'network.owner', 'nonsense', 'swarm.iceServers', 'swarm.trackers']) {
    expect(node.errors()).toMatch(new RegExp(`^  ${key} .*`, 'm'))
  }
  expect(node.errors()).not.toContain('secret')
})

test('starts, answers, and ends in order on SIGTERM and SIGINT', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const node = seeder()
    const url = await started(node)
    expect((await fetch(`${url}/ready`)).status).toBe(200)
    const before = Date.now()
    node.child.kill(signal)
    expect(await node.exited).toBe(0)
    expect(Date.now() - before).toBeLessThan(5000)
    expect(node.output()).toContain('"msg":"stopped"')
    expect(node.errors()).not.toMatch(/Error/)
  }
})

test.each([
  ['an exception', 'throw new Error("boom")'],
  ['a rejection', 'void Promise.reject(new Error("boom"))'],
])('%s that nobody caught is logged and ends the process', async (_, fault) => {
  const preload = `data:text/javascript,process.on('SIGUSR2', () => { ${fault} })`
  const node = run([`--data=${folder}/data`, ...free], ['--import', preload])
  await started(node)
  node.child.kill('SIGUSR2')
  expect(await node.exited).toBe(1)
  expect(node.output()).toMatch(/"level":60.*boom/)
})

test('prints no token and no key', async () => {
  const node = seeder('--log.level=trace')
  await started(node)
  node.child.kill('SIGTERM')
  await node.exited
  const secrets = ['admin.token', 'node.key', 'owner.key'].map((name) =>
    readFileSync(join(folder, 'data', name), 'utf8'),
  )
  const lines = secrets.flatMap((text) => text.split('\n')).filter((line) => line.length > 30 && !line.startsWith('-'))
  expect(lines).toHaveLength(3)
  for (const line of lines) expect(node.output() + node.errors()).not.toContain(line)
})

test('an upload under way at the stop leaves nothing behind', async () => {
  const node = seeder()
  const url = await started(node)
  const token = readFileSync(join(folder, 'data', 'admin.token'), 'utf8').trim()
  const incoming = () => readdirSync(join(folder, 'data', 'incoming'))
  const headers = { authorization: `Bearer ${token}`, 'content-length': '100000' }
  const upload = request(`${url}/v1/media?name=endless`, { method: 'PUT', headers })
  const ended = new Promise((resolve) => upload.on('error', () => resolve('cut')).on('response', resolve))
  upload.write('the first of many bytes')
  await vi.waitFor(() => expect(incoming()).toHaveLength(1), patience)
  node.child.kill('SIGTERM')
  expect(await node.exited).toBe(0)
  expect(await ended).toBe('cut')
  expect(incoming()).toEqual([])
  expect(node.output()).not.toContain('"level":50')
})

test('says which port it cannot have, what is in use, and which key is exposed', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  for (const [flag, message] of [
    [`--http.port=${port}`, /port \d+ \(listen EADDRINUSE[^]*http\.port/],
    [`--swarm.port=${port}`, /swarm/],
  ] as const) {
    const node = seeder(flag)
    expect(await node.exited).toBe(1)
    expect(node.errors()).toMatch(message)
    expect(node.errors()).not.toMatch(/ at .*\.ts:/)
  }
  taken.close()

  const first = seeder()
  await started(first)
  const second = seeder()
  expect(await second.exited).toBe(1)
  expect(second.errors()).toMatch(/in use by another eldernode process/)
  first.child.kill('SIGTERM')
  await first.exited

  chmodSync(join(folder, 'data', 'node.key'), 0o644)
  const exposed = seeder()
  expect(await exposed.exited).toBe(1)
  expect(exposed.errors()).toMatch(/node\.key has mode 0644[^]*chmod 600/)
})
