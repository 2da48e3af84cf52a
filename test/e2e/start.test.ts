import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Program, seededBytes, sha256, until } from '../harness/index.ts'

const top = resolve(import.meta.dirname, '../..')
let folder: string
let port: number
let trackerPort: number
let running: Program[]

const listen = async (at: number): Promise<Server> => {
  const server = createServer().listen(at, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const close = async (server: Server): Promise<void> => {
  await new Promise((done) => server.close(done))
}

const isFree = async (at: number): Promise<boolean> => {
  const udp = createSocket('udp4')
  try {
    await close(await listen(at))
    udp.bind(at, '127.0.0.1')
    await once(udp, 'listening')
    return true
  } catch {
    return false
  } finally {
    udp.close()
  }
}

/** A port whose neighbours are free as well, below those that systems hand out to whoever asks for any. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const found = randomInt(10_000, 28_000)
    const wanted = [0, 1, 2, 1000, 1001, 1002].map((offset) => found + offset)
    if ((await Promise.all(wanted.map(isFree))).every(Boolean)) return found
  }
}

const start = (nodes: number): Program => {
  const args = ['--nodes', nodes, '--data', join(folder, 'data'), '--port', port, '--tracker-port', trackerPort]
  const program = new Program({
    name: 'start',
    command: join(top, 'scripts/start'),
    args: args.map(String),
    cwd: folder,
  })
  running.push(program)
  return program
}

/** Waits for lines that begin so; an end of the program shows at once. */
const lines = async (program: Program, prefix: string, count: number): Promise<string[]> => {
  await until(
    () => program.lines.filter((line) => line.startsWith(prefix)).length >= count || program.ended !== undefined,
    {
      within: 90_000,
      what: `${count} lines that begin with "${prefix}"`,
    },
  )
  const found = program.lines.filter((line) => line.startsWith(prefix))
  if (found.length < count) throw new Error(`scripts/start ended (${program.ended})\n${program.output()}`)
  return found
}

const interrupt = async (program: Program): Promise<number | NodeJS.Signals> => {
  const began = performance.now()
  const ended = await program.end('SIGINT')
  expect(performance.now() - began, program.output()).toBeLessThan(5000)
  return ended
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-start-'))
  port = await freePort()
  do trackerPort = await freePort()
  while (Math.abs(trackerPort - port) < 2000)
  running = []
})

afterEach(async () => {
  for (const program of running) await program.end('SIGINT')
  await rm(folder, { recursive: true, force: true })
})

test('three seeders join one network, copy what is published, stop at Ctrl-C, and start again', async () => {
  const first = start(3)
  const ready = await lines(first, 'ready: ', 3)
  const urls = ready.toSorted().map((line) => line.split(' ')[2] ?? '')
  expect(ready.toSorted()).toEqual([1, 2, 3].map((node) => `ready: node-${node} http://127.0.0.1:${port + node - 1}`))

  const token = first.lines.find((line) => line.startsWith('admin token of node-1: '))?.split(': ')[1]
  const tokenFile = join(folder, 'data/node-1/admin.token')
  expect((await readFile(tokenFile, 'utf8')).trim()).toBe(token)
  expect((await stat(tokenFile)).mode & 0o777).toBe(0o600)
  expect(existsSync(join(folder, 'data/tracker'))).toBe(true)

  const bytes = seededBytes(7, 300_000)
  const published = await fetch(`${urls[0]}/v1/media?name=x.bin`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: bytes,
  })
  expect(published.status).toBe(201)
  const { id, magnet } = (await published.json()) as { id: string; magnet: string }
  for (const tracker of [
    `ws://127.0.0.1:${trackerPort}`,
    `udp://127.0.0.1:${trackerPort}`,
    `http://127.0.0.1:${trackerPort}`,
  ])
    expect(decodeURIComponent(magnet)).toContain(tracker)
  await until(
    async () => {
      // The bytes alone could be read through node-2 from another.
      if ((await fetch(`${urls[1]}/v1/media/${id}`)).status !== 200) return false
      const response = await fetch(`${urls[1]}/v1/media/${id}/content`)
      return response.status === 200 && sha256(new Uint8Array(await response.arrayBuffer())) === sha256(bytes)
    },
    { within: 60_000, what: 'node-2 holds the item' },
  )

  expect(await interrupt(first)).toBe(0)
  for (const url of urls) await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed')
  expect(await isFree(trackerPort)).toBe(true)

  const second = start(3)
  await lines(second, 'ready: ', 3)
  expect(second.lines.filter((line) => line.includes('token'))).toEqual([])
  expect((await fetch(`${urls[1]}/v1/media/${id}`)).status).toBe(200)
  expect(await interrupt(second)).toBe(0)
})

test('a port that is taken is named, and nothing stays behind', async () => {
  const other = await listen(port + 1)
  onTestFinished(() => close(other))
  const program = start(2)
  expect(await program.exited()).toBe(1)
  expect(program.output()).toMatch(/start: node-2 ended by itself/)
  expect(program.output()).toContain(String(port + 1))
  expect(await isFree(port)).toBe(true)
  expect(await isFree(trackerPort)).toBe(true)
})

test('a seeder that dies is named while others go on; with the last one all ends', async () => {
  const program = start(2)
  await lines(program, 'ready: ', 2)
  const kill = async (name: string) => {
    const log = await readFile(join(folder, `data/logs/${name}.log`), 'utf8')
    process.kill(Number(/"pid":(\d+)/.exec(log)?.[1]), 'SIGKILL')
  }
  await kill('node-2')
  await lines(program, 'node-2 ended by itself (SIGKILL)', 1)
  expect(program.output()).toContain('the others go on')
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
  await kill('node-1')
  expect(await program.exited()).toBe(1)
  expect(program.output()).toMatch(/start: node-1 ended by itself \(SIGKILL\)/)
  expect(await isFree(trackerPort)).toBe(true)
})
