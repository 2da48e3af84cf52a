import { expect, test } from 'vitest'
import { MAX_CLOCK_SKEW } from '../envelope/index.ts'
import { toBase64url } from '../identity/index.ts'
import { Fetcher } from './fetcher.ts'
import type { Ask, Frame } from './frames.ts'
import type { Link } from './link.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Kind } from './port.ts'
import { Questions } from './questions.ts'
import { shortDigest, Sums } from './sums.ts'
import type { Candidate } from './wire/message.ts'

const network = 'abcdefghijklmnop'
const pub = toBase64url(new Uint8Array(32).fill(7))
const soul = `en1/${network}/m/${pub}/ab`
const key = 'ab'.repeat(20)
const digest = 'A'.repeat(22)
const theirs = new Map([[pub, digest]])

type Reply = Record<string, unknown> | undefined

/** A fetcher whose other side answers whatever the test likes. */
function facing(answer: (ask: Ask, count: number) => Reply, keeps?: ReadonlySet<Kind>) {
  const refused: string[] = []
  const asked: Ask['en'][] = []
  const admitted: Candidate[] = []
  const store = new MemoryGraphStore()
  const clock = { now: 1_000_000 }
  const link = { closed: false, refuse: (reason: string) => void refused.push(reason) } as unknown as Link
  const questions = new Questions(link, (frame: Frame) => {
    const ask = frame as Ask
    asked.push(ask.en)
    const reply = answer(ask, asked.length)
    setTimeout(() => {
      if (reply === undefined) questions.close()
      else questions.answered({ en: ask.en.slice(0, -1), n: ask.n, ...reply } as never)
    }, 0)
  })
  const fetcher = new Fetcher({
    link,
    questions,
    sums: new Sums({ network, store }),
    present: (name, of) => store.get(name, of),
    wants: () => true,
    keeps,
    admit: (values) => {
      admitted.push(...values)
      return Promise.resolve()
    },
    now: () => clock.now,
  })
  return { fetcher, questions, refused, asked, admitted, store, clock }
}

const honest = (ask: Ask): Reply => {
  if (ask.en === 'buckets?') return { buckets: [[soul, digest]] }
  if (ask.en === 'keys?') return { keys: [[soul, [[key, 5, shortDigest('text')]]]] }
  return { values: [[soul, key, 5, 'text']], done: 1 }
}

test('what is lacking is asked for and handed to the guard, which has the last word', async () => {
  const { fetcher, admitted, asked, refused } = facing(honest)
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(admitted).toEqual([{ soul, key, state: 5, value: 'text' }])
  // The guard took nothing, so it is not fetched again until something changed.
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(asked).toEqual(['buckets?', 'keys?', 'values?', 'buckets?', 'keys?'])
  fetcher.forgive()
  await fetcher.fetch(theirs)
  expect(admitted).toHaveLength(2)
  expect(refused).toEqual([])
})

test('what the guard refused is asked for again after a while: it may have had no room', async () => {
  const { fetcher, admitted, clock } = facing(honest)
  for (const later of [0, 600_000, 1]) {
    clock.now += later
    await fetcher.fetch(theirs)
  }
  expect(admitted).toHaveLength(2)
})

test('what was signed by a clock far ahead is asked for once its time has come', async () => {
  const ts = 1_000_001 + MAX_CLOCK_SKEW
  const { fetcher, admitted, clock } = facing((ask) => {
    if (ask.en === 'keys?') return { keys: [[soul, [[key, ts, shortDigest('text')]]]] }
    return ask.en === 'values?' ? { values: [[soul, key, ts, 'text']], done: 1 } : honest(ask)
  })
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(admitted).toEqual([])
  clock.now++
  await fetcher.fetch(theirs)
  expect(admitted).toEqual([{ soul, key, state: ts, value: 'text' }])
})

test('what is held in the same or a newer version is not asked for', async () => {
  for (const [ts, value] of [
    [5, 'text'],
    [6, 'other'],
  ] as const) {
    const { fetcher, store, asked } = facing(honest)
    store.upsert([{ soul, key, ts, value }])
    expect(await fetcher.fetch(theirs)).toBe(true)
    expect(asked).toEqual(['buckets?', 'keys?'])
  }
})

test('no answer ends the attempt', async () => {
  for (const silent of ['buckets?', 'keys?', 'values?']) {
    const { fetcher, refused } = facing((ask) => (ask.en === silent ? undefined : honest(ask)))
    expect(await fetcher.fetch(theirs)).toBe(false)
    expect(refused).toEqual([])
  }
})

test.each<[string, (ask: Ask, count: number) => Reply]>([
  ['buckets of another group', () => ({ buckets: [[`en1/${network}/o`, digest]] })],
  ['a bucket that is no soul', () => ({ buckets: [['__proto__', digest]] })],
  [
    'a page that leads to a soul not asked for',
    (ask) => (ask.en === 'keys?' ? { keys: [], next: ['constructor', 'x'] } : honest(ask)),
  ],
  ['pages that lead nowhere', (ask) => (ask.en === 'keys?' ? { keys: [], next: [soul, key] } : honest(ask))],
  ['values that are never done', (ask) => (ask.en === 'values?' ? { values: [], done: 0 } : honest(ask))],
  ['more done than asked', (ask) => (ask.en === 'values?' ? { values: [], done: 9 } : honest(ask))],
])('a liar is left: %s', async (_name, answer) => {
  const { fetcher, refused, asked } = facing(answer)
  expect(await fetcher.fetch(theirs)).toBe(false)
  expect(refused).toEqual(['answer'])
  expect(asked.length).toBeLessThan(5)
})

test('values and keys nobody asked for are left out', async () => {
  const other = `en1/${network}/m/${pub}/cd`
  const { fetcher, admitted, refused } = facing((ask) => {
    if (ask.en === 'keys?')
      return {
        keys: [
          [other, [[key, 5, 'AAAAAAAA']]],
          [soul, [[key, 5, shortDigest('text')]]],
        ],
      }
    if (ask.en === 'values?')
      return {
        values: [
          [other, key, 5, 'x'],
          [soul, key, 5, 'text'],
        ],
        done: 1,
      }
    return honest(ask)
  })
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(admitted.map((value) => value.soul)).toEqual([soul])
  expect(refused).toEqual(['unasked'])
})

test('an answer to no question is refused, one that comes too late is not held against anybody', async () => {
  const { questions, fetcher, refused } = facing(honest)
  questions.answered({ en: 'buckets', n: 77, buckets: [] })
  await fetcher.fetch(theirs)
  questions.answered({ en: 'buckets', n: 1, buckets: [] })
  expect(refused).toEqual(['answer', 'late_answer'])
})

test('where not all is kept the rest is not asked for, and a group is looked at once until it changes', async () => {
  const other = `en1/${network}/h/${pub}/ab`
  const souls: string[] = []
  const { fetcher, asked, admitted, clock } = facing(
    (ask) => {
      if (ask.en === 'buckets?')
        return {
          buckets: [
            [other, digest],
            [soul, digest],
          ],
        }
      if (ask.en === 'keys?') souls.push(...ask.souls)
      return honest(ask)
    },
    new Set<Kind>(['m']),
  )
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(admitted).toHaveLength(1)
  expect(asked).toEqual(['buckets?', 'keys?', 'values?'])
  expect(souls).toEqual([soul])
  expect(await fetcher.fetch(theirs)).toBe(true)
  expect(asked).toHaveLength(3)
  await fetcher.fetch(new Map([[pub, 'B'.repeat(22)]]))
  expect(asked).toHaveLength(5)
  // What was left out for a reason of its time is found in the end.
  clock.now += 700_000
  await fetcher.fetch(new Map([[pub, 'B'.repeat(22)]]))
  expect(asked.length).toBeGreaterThan(5)
})
