import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { trackerSchema } from '../config.ts'
import { WorkerFailedError } from './errors.ts'
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
  const worker = await workerOf("process.send({ is: 'failed', reason: 'no such file' })")
  await expect(worker.begin()).rejects.toThrow('Worker 3 of this tracker cannot go on: no such file')
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
