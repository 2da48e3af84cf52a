import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { trackerSchema } from '../config.ts'
import { Pulse } from './pulse.ts'
import { WorkerProcess } from './worker-process.ts'

const fakeTimers = (): void => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}

test('who answers now and then lives; who is silent for ten seconds is given up, once', () => {
  fakeTimers()
  const asked: string[] = []
  const pulse = new Pulse(
    () => asked.push('asked'),
    () => asked.push('stuck'),
  )
  pulse.start()
  for (let time = 0; time < 5; time++) {
    vi.advanceTimersByTime(9000)
    pulse.heard()
  }
  expect(asked).toHaveLength(45)
  expect(asked).not.toContain('stuck')
  vi.advanceTimersByTime(60_000)
  expect(asked.filter((what) => what === 'stuck')).toHaveLength(1)
  expect(asked).toHaveLength(45 + 10 + 1)
})

test('who is not asked any more is not given up', () => {
  fakeTimers()
  const stuck = vi.fn<() => void>()
  const pulse = new Pulse(() => {}, stuck)
  pulse.start()
  vi.advanceTimersByTime(9000)
  pulse.stop()
  vi.advanceTimersByTime(60_000)
  expect(stuck).not.toHaveBeenCalled()
})

const sections = ['network', 'access', 'ledger', 'admin', 'announce', 'limits', 'cluster', 'log']
const settings = trackerSchema.parse(Object.fromEntries(sections.map((section) => [section, {}])))
const program = `process.on('message', ({ is, port }) => {
  if (is === 'begin') process.send({ is: 'joined' })
  if (is === 'open') process.send({ is: 'listening', port })
  if (is === 'ping') process.send({ is: 'alive' })
  if (is === 'stop') process.exit(0)
})`

test('a worker that is stuck is logged, ended and begun again; one that answers goes on', async () => {
  fakeTimers()
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-pulse-'))
  const path = join(folder, 'worker.mjs')
  await writeFile(path, program)
  const lines: { msg: string; worker?: number; pid?: number }[] = []
  const worker = new WorkerProcess({
    program: pathToFileURL(path),
    own: 3,
    begin: () => ({ is: 'begin', settings, own: 3, folder, secret: [1, 2, 3, 4] }),
    onBegun: async () => {},
    onGiven: () => {},
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }),
  })
  onTestFinished(async () => {
    await worker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  await worker.begin()
  await worker.open(4321)
  const { pid = 0 } = worker
  // Each turn of the timer waits for the answer of the one before.
  for (let time = 0; time < 12; time++) {
    vi.advanceTimersByTime(1000)
    await vi.waitFor(() => expect(worker.unanswered).toBe(0))
  }
  process.kill(pid, 'SIGSTOP')
  vi.advanceTimersByTime(11_000)
  await vi.waitFor(() => expect(worker.isListening && worker.pid !== pid).toBe(true), 20_000)
  const [stuck, ...later] = lines
  expect(stuck).toMatchObject({ worker: 3, workerPid: pid, silentSeconds: 10 })
  expect(later.map(({ msg }) => msg)).toEqual(['a worker has died with the peers of its shard', 'a worker is back'])
})
