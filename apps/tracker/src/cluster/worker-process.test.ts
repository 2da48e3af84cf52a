import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { trackerSchema } from '../config.ts'
import { WorkerFailedError } from './errors.ts'
import { type Handle, takeHandle } from '../connection-handle.ts'
import type { Given } from './orders.ts'
import { WorkerProcess } from './worker-process.ts'

const sections = ['network', 'access', 'ledger', 'admin', 'announce', 'limits', 'cluster', 'log']
const settings = trackerSchema.parse(Object.fromEntries(sections.map((section) => [section, {}])))

/** A worker that runs this program. */
const workerOf = async (program: string, onBegun = async (): Promise<void> => {}): Promise<WorkerProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-worker-'))
  const path = join(folder, 'worker.mjs')
  await writeFile(path, program)
  const worker = new WorkerProcess({
    program: pathToFileURL(path),
    own: 3,
    begin: () => ({ is: 'begin', settings, own: 3, folder, secret: [1, 2, 3, 4] }),
    onBegun,
    onGiven: () => {},
    log: pino({ level: 'silent' }),
  })
  onTestFinished(async () => {
    await worker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return worker
}

const joins = "process.once('message', () => process.send({ is: 'joined' }))\n"
const listens = `process.on('message', ({ is, port }) => {
  if (is === 'open') process.send({ is: 'listening', port: port || 1234 })
  if (is === 'change') process.send({ is: 'changed', reason: 'that is wrong' })
  if (is === 'stop') process.exit(0)
})\n`

test('one that ends before it begins is no worker', async () => {
  const worker = await workerOf('process.exit(3)')
  await expect(worker.begin()).rejects.toThrow(WorkerFailedError)
})

test('one that cannot begin says why', async () => {
  const worker = await workerOf("process.send({ is: 'failed', reason: 'no such file', code: 'hash_file' })")
  const begun = worker.begin()
  await expect(begun).rejects.toThrow('Worker 3 of this tracker cannot go on: no such file')
  await expect(begun).rejects.toMatchObject({ reasonCode: 'hash_file' })
})

test('one that ends before it listens is not waited for, whenever it does', async () => {
  const worker = await workerOf(`${joins}process.on('message', ({ is }) => is === 'open' && process.exit(1))`)
  await worker.begin()
  await expect(worker.open(0)).rejects.toThrow(WorkerFailedError)
  await expect(worker.open(0)).rejects.toThrow(WorkerFailedError)
})

test('one that does not take on settings says why', async () => {
  const worker = await workerOf(joins + listens)
  await worker.begin()
  expect(await worker.open(0)).toBe(1234)
  await expect(worker.change(settings)).rejects.toThrow('that is wrong')
})

test('one that dies is begun again on its port, and hears first what is known', async () => {
  const onBegun = vi.fn<() => Promise<void>>(() => Promise.resolve())
  const worker = await workerOf(joins + listens, onBegun)
  await worker.begin()
  await worker.open(4321)
  const { pid } = worker
  process.kill(pid ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(worker.isListening && worker.pid !== pid).toBe(true), 20_000)
  expect(onBegun).toHaveBeenCalledTimes(2)
  await worker.stop()
})

test('one that does not stop is ended', async () => {
  const worker = await workerOf(`${joins}process.on('message', () => {})`)
  await worker.begin()
  const { pid = 0 } = worker
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const stopped = worker.stop()
  vi.advanceTimersByTime(4000)
  await stopped
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

/** Clients, and the other end of each as it is handed over. */
const connections = async (count: number): Promise<{ clients: Socket[]; handles: Handle[] }> => {
  const server = createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const clients: Socket[] = []
  const handles: Handle[] = []
  for (let n = 0; n < count; n++) {
    const client = connect(port, '127.0.0.1')
    const [stream] = (await once(server, 'connection')) as [Socket]
    const taken = takeHandle(stream, Buffer.alloc(0))
    if (taken === undefined) throw new TypeError('a new connection is gone')
    clients.push(client)
    handles.push(taken.handle)
  }
  onTestFinished(() => {
    for (const client of clients) client.destroy()
    server.close()
  })
  return { clients, handles }
}

const address = [127 << 24, 0, 0, 0]
const upgrade: Given['upgrade'] = { webSocketKey: 'x', path: '/announce/3', kind: 0, address, isMember: true }
const openFiles = (): number => readdirSync('/proc/self/fd').length

/** Gives connections to a worker that has stopped to listen, and to live. */
const giveToStopped = async () => {
  const worker = await workerOf(joins + listens)
  await worker.begin()
  await worker.open(0)
  const { pid = 0 } = worker
  process.kill(pid, 'SIGSTOP')
  const { clients, handles } = await connections(20)
  const closed = clients.map((client) => new Promise((resolve) => client.once('close', resolve)))
  for (const handle of handles) worker.give({ is: 'given', shard: 3, upgrade, head: '' }, handle)
  return { worker, pid, closed }
}

test('who waits for a worker that dies is hung up on, and leaves nothing behind', async () => {
  const before = openFiles()
  const { pid, closed } = await giveToStopped()
  process.kill(pid, 'SIGKILL')
  await Promise.all(closed)
  // Its channel was open before; what else there is belongs to the worker that follows it.
  await vi.waitFor(() => expect(openFiles()).toBeLessThan(before + 10), 10_000)
})

test('who waits for a worker that takes nobody is hung up on after some seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { worker, pid, closed } = await giveToStopped()
  vi.advanceTimersByTime(5000)
  // One has left for the worker's side of the channel, and goes with it.
  await Promise.all(closed.slice(1))
  // It hears what it is told as before, should it go on.
  process.kill(pid, 'SIGCONT')
  await expect(worker.change(settings)).rejects.toThrow('that is wrong')
})
