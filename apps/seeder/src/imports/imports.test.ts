import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Library, openLibrary } from '../library/index.ts'
import { ImportFailedError } from './errors.ts'
import { Imports, type ImportsOptions } from './imports.ts'
import type { Wanted, Work } from './port.ts'

let folder: string
let library: Library
let imports: Imports | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-imports-'))
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing is hashed')) })
})
afterEach(async () => {
  await imports?.close()
  library.close()
  await rm(folder, { recursive: true })
})

const wanted = (owner = ''): Wanted => ({ owner, access: 'public', replicas: { min: 1, target: 1 } })

/** Imports of a kind that does as it is told. */
function make(url: (work: Work) => Promise<{ infoHash: string }>, more: Partial<ImportsOptions> = {}): Imports {
  imports = new Imports({
    store: library.imports,
    importers: { url: url as NonNullable<ImportsOptions['importers']['url']> },
    parallel: 1,
    most: 100,
    retries: 0,
    log: pino({ level: 'silent' }),
    now: Date.now,
    ...more,
  })
  return imports
}

const forever = ({ signal }: Work): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
const state = (id: string): string | undefined => library.imports.get(id)?.state

test('one that the node ended of five times is not begun again', async () => {
  const { id } = await make(forever).add('url', 'http://a.example/', wanted())
  for (let attempt = 1; attempt <= 5; attempt++) {
    const again = make(forever)
    again.start()
    await vi.waitFor(() => expect(library.imports.get(id)).toMatchObject({ state: 'running', attempts: attempt }))
    await again.close()
    expect(state(id)).toBe('running')
  }
  const begun = vi.fn<typeof forever>(forever)
  make(begun).start()
  await vi.waitFor(() => expect(state(id)).toBe('failed'))
  expect(library.imports.get(id)?.error?.code).toBe('import_interrupted')
  expect(begun).not.toHaveBeenCalled()
})

test('an error that nobody foresaw is told to the log, not to the owner', async () => {
  const made = make(() => Promise.reject(new Error('secret path /data/x')))
  made.start()
  const { id } = await made.add('url', 'http://a.example/', wanted())
  await vi.waitFor(() => expect(state(id)).toBe('failed'))
  expect(made.get(id).error).toEqual({ code: 'internal', detail: 'The node failed at this import; its log says why.' })
})

test('one that cannot be called off any more is done', async () => {
  let finish: () => void = () => undefined
  const made = make(() => new Promise((resolve) => (finish = () => resolve({ infoHash: 'a'.repeat(40) }))))
  made.start()
  const { id } = await made.add('url', 'http://a.example/', wanted())
  await vi.waitFor(() => expect(state(id)).toBe('running'))
  const cancelled = made.cancel(id)
  finish()
  expect(await cancelled).toMatchObject({ state: 'done', infoHash: 'a'.repeat(40) })
})

test('an owner with many does not keep another waiting, and the latest thousand ends are remembered', async () => {
  const order: string[] = []
  const made = make(
    ({ wanted: { owner } }) => {
      order.push(owner)
      return order.length % 2 === 0
        ? Promise.reject(new ImportFailedError('x'))
        : Promise.resolve({ infoHash: 'a'.repeat(40) })
    },
    { most: 5000 },
  )
  const first = await made.add('url', 'http://a.example/', wanted('many'))
  await Promise.all(Array.from({ length: 1100 }, () => made.add('url', 'http://a.example/', wanted('many'))))
  await made.add('url', 'http://a.example/', wanted('one'))
  made.start()
  await vi.waitFor(() => expect(library.imports.unfinished()).toEqual([]), { timeout: 20_000 })
  expect(order.indexOf('one')).toBeLessThan(3)
  expect(order).toHaveLength(1102)
  expect(state(first.id)).toBeUndefined()
  expect(made.list({ limit: 2000 }).imports).toHaveLength(1000)
})

test('of a .torrent file nothing is kept once it is over', async () => {
  const made = make(forever, { importers: { torrent: () => Promise.reject(new ImportFailedError('x')) } })
  const { id } = await made.add('torrent', 'x'.repeat(1000), wanted())
  expect(library.imports.get(id)?.source).toHaveLength(1000)
  expect(made.get(id).source).toBe('')
  made.start()
  await vi.waitFor(() => expect(state(id)).toBe('failed'))
  expect(library.imports.get(id)?.source).toBe('')
})

test('one that failed and may do better is tried again, and again after a restart, until it was often enough', async () => {
  const busy = () => Promise.reject(new ImportFailedError('it answers with the status 503', { passes: true }))
  const waits: number[] = []
  const waitMs = (attempts: number) => {
    waits.push(attempts)
    return attempts === 3 ? 1_000_000 : 1
  }
  const made = make(busy, { retries: 4, waitMs })
  made.start()
  const { id } = await made.add('url', 'http://a.example/', wanted('one'))
  await vi.waitFor(() => expect(waits).toEqual([1, 2, 3]))
  expect(made.get(id)).toMatchObject({ state: 'queued', error: { code: 'import_failed' } })
  expect(made.get(id).retryAt).toBeGreaterThan(Date.now() + 900_000)
  expect(made.stats()).toMatchObject({ now: { queued: 0, waiting: 1, running: 0 }, retried: 3 })
  await made.close()
  const again = make(busy, { retries: 4, waitMs })
  again.start()
  await vi.waitFor(() => expect(state(id)).toBe('failed'))
  expect(waits).toEqual([1, 2, 3, 4])
  expect(again.get(id)).toMatchObject({ error: { code: 'import_failed' } })
  expect(again.get(id).retryAt).toBeUndefined()
})

test('one that waits to be tried again keeps its place, and can be called off', async () => {
  const made = make(() => Promise.reject(new ImportFailedError('x', { passes: true })), {
    retries: 1,
    most: 4,
    waitMs: () => 1_000_000,
  })
  made.start()
  const { id } = await made.add('url', 'http://a.example/', wanted('one'))
  await vi.waitFor(() => expect(made.get(id).retryAt).toBeDefined())
  await expect(made.add('url', 'http://a.example/', wanted('one'))).rejects.toThrow(/as many as may/)
  expect(await made.cancel(id)).toMatchObject({ state: 'cancelled' })
  expect(made.stats().now).toEqual({ queued: 0, waiting: 0, running: 0 })
})

test('what will not change is not tried again', async () => {
  const made = make(() => Promise.reject(new ImportFailedError('it answers with the status 404')), { retries: 4 })
  made.start()
  const { id } = await made.add('url', 'http://a.example/', wanted())
  await vi.waitFor(() => expect(state(id)).toBe('failed'))
  expect(library.imports.get(id)?.attempts).toBe(1)
})
