import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CopyRecord, EventRecord, EventStore } from '../library/index.ts'
import { Journal } from './journal.ts'

const event = (at: number) => ({ type: 'published' as const, owner: '', access: 'public' as const, at })
const hash = (n: number): string => n.toString(16).padStart(40, '0')
const copies = (n: number, min = 1): CopyRecord => ({
  infoHash: hash(n),
  state: 'new',
  min,
  target: 3,
  owner: '',
  access: 'public',
})

let written: EventRecord[]
let noted: Map<string, CopyRecord | undefined>
let takes: boolean
let said: [object, string][]
let journal: Journal

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
  written = []
  noted = new Map()
  takes = true
  said = []
  const store: EventStore = {
    append: (events, changed = new Map()) => {
      if (!takes) throw new Error('the disk takes nothing')
      const records = events.map((one, n) => ({ ...one, id: written.length + n + 1 }))
      written.push(...records)
      for (const [infoHash, record] of changed) noted.set(infoHash, record)
      return records
    },
    after: (id, limit) => written.slice(id, id + limit),
    get: (id) => written[id - 1],
    newest: () => written.length,
    oldest: () => 1,
    copies: (infoHash) => noted.get(infoHash),
    copiesIn: () => [],
  }
  const error = (fields: object, text: string): void => void said.push([fields, text])
  journal = new Journal({ store, log: { error: error as never } })
})
afterEach(() => {
  journal.close()
  vi.useRealTimers()
})

test('a disk that takes nothing costs no more memory than 10,000 of each, and what is lost is counted', async () => {
  takes = false
  for (let n = 0; n < 10_000; n++) {
    journal.emit(event(n))
    journal.noteCopies(hash(n), copies(n))
  }
  await vi.advanceTimersByTimeAsync(10_000)
  expect(said.map(([, text]) => text)).toEqual(['events cannot be written: they wait'])
  for (let n = 10_000; n < 10_005; n++) journal.emit(event(n))
  for (let n = 10_000; n < 10_007; n++) journal.noteCopies(hash(n), copies(n))
  // What waits already may change.
  journal.noteCopies(hash(3), copies(3, 2))
  expect(journal.copies(hash(10_000))).toBeUndefined()
  expect(said.slice(1)).toEqual([[{ waiting: 10_000 }, 'events are lost from now on, until the disk takes some']])
  takes = true
  await vi.advanceTimersByTimeAsync(1_000)
  expect([written.length, written.at(-1)?.at, noted.size, noted.get(hash(3))?.min]).toEqual([10_000, 9_999, 10_000, 2])
  expect(said[2]?.[0]).toEqual({ lost: 12 })
  journal.emit(event(1))
  await vi.advanceTimersByTimeAsync(20)
  expect([written.length, said.length]).toEqual([10_001, 3])
})

test('of a burst on a disk that takes them none are lost', async () => {
  for (let n = 0; n < 25_000; n++) {
    journal.emit(event(n))
    journal.noteCopies(hash(n), copies(n))
  }
  await vi.advanceTimersByTimeAsync(20)
  expect([written.length, noted.size, said.length]).toEqual([25_000, 25_000, 0])
})

test('what still waits at the end for a disk that takes nothing is said to be lost', () => {
  takes = false
  journal.emit(event(1))
  journal.noteCopies(hash(1), copies(1))
  journal.close()
  expect(said.at(-1)?.[0]).toEqual({ lost: 2 })
})
