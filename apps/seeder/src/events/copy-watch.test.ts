import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Graph, Manifest } from '@eldernode/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Library, openLibrary } from '../library/index.ts'
import { countedCopies } from './copies.ts'
import { CopyWatch } from './copy-watch.ts'
import { Journal } from './journal.ts'
import { watchPublications } from './publications.ts'

const infoHash = 'ab'.repeat(20)
const log = { error: () => undefined }

let folder: string
let library: Library
let journal: Journal
let watch: CopyWatch
let copies: number
let settled: boolean
let changed: (infoHash: string) => void
let tell: (kind: string, value: object) => void

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  folder = await mkdtemp(join(tmpdir(), 'eldernode-copies-'))
  library = await openLibrary({ folder, digest: async () => ({ sha256: '', size: 0 }) })
  ;[copies, settled] = [1, true]
  open()
})

afterEach(async () => {
  watch.close()
  journal.close()
  library.close()
  vi.useRealTimers()
  await rm(folder, { recursive: true })
})

function open(): void {
  const listeners = new Map<string, (value: never) => void>()
  const graph = {
    watch: (kind: string, listener: (value: never) => void) => {
      listeners.set(kind, listener)
      return () => undefined
    },
  } as Pick<Graph, 'watch'>
  tell = (kind, value) => listeners.get(kind)?.(value as never)
  journal = new Journal({ store: library.events, log })
  const now = () => 1
  const onChange = (listener: typeof changed) => {
    changed = listener
    return () => undefined
  }
  watch = new CopyWatch({ journal, copies: () => copies, onChange, isSettled: () => settled, now })
  watchPublications({
    self: 'me',
    graph,
    library,
    journal,
    published: (one) => watch.touch(one),
    now,
  })
  watch.start()
}

function manifest(more: Partial<Manifest> = {}, pub = 'me'): void {
  const body = { infoHash, state: 'live', access: 'unlisted', replicas: { min: 2, target: 3 }, ...more }
  tell('m', { pub, body })
}

/** What was told so far, after so many copies were seen. */
function toldAt(count: number): string[] {
  copies = count
  changed(infoHash)
  vi.advanceTimersByTime(25_000)
  return told()
}

const told = () => journal.after(0, 100).map(({ type }) => type)

test('an item has its copies, loses them and gets them back: each told once', () => {
  manifest()
  expect(toldAt(1)).toEqual(['published'])
  expect(toldAt(2)).toEqual(['published'])
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  expect(toldAt(2)).toEqual(['published', 'replicated'])
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  expect(toldAt(1)).toEqual(['published', 'replicated', 'degraded'])
  expect(toldAt(0)).toEqual(['published', 'replicated', 'degraded'])
  expect(toldAt(2)).toEqual(['published', 'replicated', 'degraded'])
  expect(toldAt(4)).toEqual(['published', 'replicated', 'degraded', 'replicated'])
  expect(journal.after(2, 1)[0]).toMatchObject({ infoHash, access: 'unlisted', data: { copies: 1, min: 2, target: 3 } })
})

test('what is doubted for a moment only is no loss', () => {
  manifest()
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  for (let i = 0; i < 5; i++) {
    for (copies of [0, 2]) {
      changed(infoHash)
      vi.advanceTimersByTime(3000)
    }
  }
  expect(told()).toEqual(['published', 'replicated'])
})

test('a restart tells nothing again', () => {
  manifest()
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  watch.close()
  journal.close()
  open()
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  expect(toldAt(1)).toEqual(['published', 'replicated', 'degraded'])
})

test('what went while the node was off is noticed once the network is known', () => {
  manifest()
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  watch.close()
  journal.close()
  settled = false
  open()
  vi.advanceTimersByTime(40_000)
  copies = 1
  vi.advanceTimersByTime(40_000)
  expect(told()).toEqual(['published', 'replicated'])
  settled = true
  vi.advanceTimersByTime(30_000)
  expect(told()).toEqual(['published', 'replicated', 'degraded'])
})

test('a manifest that says more is no publication; a retraction is told, and what comes after it is a new item', () => {
  manifest()
  manifest({ tags: ['more'] })
  expect(toldAt(3)).toEqual(['published', 'replicated'])
  manifest({ state: 'retracted' })
  expect(toldAt(1)).toEqual(['published', 'replicated', 'retracted'])
  manifest()
  expect(toldAt(1)).toEqual(['published', 'replicated', 'retracted', 'published'])
})

test("others' items and previews are not told of", () => {
  manifest({}, 'other')
  manifest({ previewOf: 'c'.repeat(40) })
  expect(toldAt(3)).toEqual([])
})

test('proven copies count; early those that were proven before; and of a node that is alone its own', () => {
  const copy = (id: string, proof = 'proven', state: 'held' | 'releasing' = 'held') => ({ id, proof, state })
  const counted = (proven: number, list: ReturnType<typeof copy>[], stats: { live: number; settled: boolean }) =>
    countedCopies(
      { health: () => ({ assessment: { proven, copies: list } }), onLevel: () => () => undefined, stats: () => stats },
      'me',
      infoHash,
    )
  const three = [copy('me'), copy('a'), copy('b'), copy('c', 'unknown'), copy('d', 'proven', 'releasing')]
  expect(counted(1, three, { live: 2, settled: true })).toBe(1)
  expect(counted(1, three, { live: 2, settled: false })).toBe(3)
  expect(counted(0, [copy('me', 'unknown')], { live: 1, settled: true })).toBe(1)
  expect(counted(0, [copy('a', 'unknown')], { live: 1, settled: true })).toBe(0)
  expect(counted(0, [copy('me', 'unknown')], { live: 2, settled: true })).toBe(0)
})
