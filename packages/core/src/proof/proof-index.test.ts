import { beforeEach, describe, expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import { auditKey, Auditors, packTags, PROOF_LASTS, ProofIndex, tagOf } from './index.ts'
import type { AuditResult } from './index.ts'

const now = 1_800_000_000_000
const key = (n: number): NodeId => toBase64url(new Uint8Array(32).fill(n))
const holder = key(200)
const members = [1, 2, 3, 4, 5, 6].map(key)
/** The first byte of both halves of a tag matters to the search: these lie on either side of the sign. */
const items = ['ab000000', 'ab7fffff', 'abffffff'].flatMap((start) =>
  ['00000000', '7fffffff', '80000000', 'ffffffff'].map((end) => (start + end).padEnd(40, '1')),
)
const [one, two] = [items[0]!, items[1]!]

let index: ProofIndex
/** The members from nearest to farthest of the holder's bucket. */
let near: NodeId[]

beforeEach(() => {
  index = new ProofIndex()
  index.trust([...members, holder])
  const auditors = new Auditors()
  auditors.set(members)
  near = auditors.of(holder, 'ab', members.length)
})

interface Said extends Partial<AuditResult> {
  items?: readonly string[]
  ts?: number
}

function say(auditor: NodeId, { items: proven = [], ts = now, ...more }: Said = {}): string[] {
  const body = { passedAt: now, proven: packTags(proven.map(tagOf)), failed: [], ...more }
  return index.set({ pub: auditor, key: auditKey(holder, 'ab'), ts, body })
}

const fails = (infoHash: string) => ({ failed: [{ tag: tagOf(infoHash), piece: 3, since: now - 5 }] })
const proofOf = (infoHash: string, at = now) => index.proofOf(holder, infoHash, at)

describe('a claim', () => {
  test('is unknown until an auditor has passed it', () => {
    expect(proofOf(one)).toBe('unknown')
    say(near[0]!, { items: [one] })
    expect([proofOf(one), proofOf(two)]).toEqual(['proven', 'unknown'])
    expect(index.proofOf(key(201), one, now)).toBe('unknown')
    expect(index.proofOf(holder, `ac${one.slice(2)}`, now)).toBe('unknown')
  })

  test('is found among many, and nothing else is', () => {
    say(near[1]!, { items })
    for (const item of items) expect(proofOf(item), item).toBe('proven')
    for (const item of items) {
      const beside = item.slice(0, 15) + (item[15] === '0' ? '1' : '0') + item.slice(16)
      expect(proofOf(beside), beside).toBe('unknown')
    }
  })

  test.each([
    ['evenly spread', (n: number) => Math.imul(n, 0x9e3779b1) >>> 8],
    ['all at the start', (n: number) => n],
    ['all at the end', (n: number) => 0xffffff - n],
  ])('is found in a large bucket, %s', (_, place) => {
    const item = (n: number): string => `ab${place(n).toString(16).padStart(6, '0')}`.padEnd(40, '0')
    const held = [...Array(1500).keys()].map((n) => item(2 * n))
    say(near[0]!, { items: held })
    expect(held.filter((infoHash) => proofOf(infoHash) !== 'proven')).toEqual([])
    const others = [...Array(1500).keys()].map((n) => item(2 * n + 1))
    expect(others.filter((infoHash) => proofOf(infoHash) !== 'unknown')).toEqual([])
  })

  test('is proven by one auditor, and failed as soon as one has an open failure', () => {
    say(near[0]!, { items: [one, two] })
    say(near[1]!, fails(one))
    expect([proofOf(one), proofOf(two)]).toEqual(['failed', 'proven'])
    expect([...index.failuresOf(holder)]).toEqual([{ auditor: near[1], tag: tagOf(one), piece: 3, since: now - 5 }])
    say(near[1]!, { items: [one] })
    expect(proofOf(one)).toBe('proven')
    expect([...index.failuresOf(holder)]).toEqual([])
  })

  test('is unknown again a day after its bucket was last passed', () => {
    say(near[0]!, { items: [one] })
    expect(proofOf(one, now + PROOF_LASTS - 1)).toBe('proven')
    expect(proofOf(one, now + PROOF_LASTS)).toBe('unknown')
    say(near[1]!, { items: [one], passedAt: now + 1 })
    expect(proofOf(one, now + PROOF_LASTS)).toBe('unknown')
    say(near[1]!, { items: [one], passedAt: now + 1, ts: now + 1 })
    expect(proofOf(one, now + PROOF_LASTS)).toBe('proven')
  })

  test('that failed stays failed, however long ago', () => {
    say(near[0]!, { ...fails(one), passedAt: 0 })
    expect(proofOf(one, now + 10 * PROOF_LASTS)).toBe('failed')
  })
})

describe('who is believed', () => {
  test('the four nearest of all members, dead ones too, and no others', () => {
    say(near[4]!, { items: [one] })
    say(near[5]!, fails(two))
    expect([proofOf(one), proofOf(two)]).toEqual(['unknown', 'unknown'])
    say(near[3]!, { items: [one] })
    expect(proofOf(one)).toBe('proven')
  })

  test('nobody of itself', () => {
    index.trust([holder])
    expect(
      index.set({
        pub: holder,
        key: auditKey(holder, 'ab'),
        ts: now,
        body: { passedAt: now, proven: packTags([tagOf(one)]), failed: [] },
      }),
    ).toEqual([])
    expect(proofOf(one)).toBe('unknown')
  })

  test('a revoked auditor no more, and the next one in its place', () => {
    say(near[0]!, { items: [one] })
    say(near[4]!, { items: [two] })
    expect([proofOf(one), proofOf(two)]).toEqual(['proven', 'unknown'])
    expect(index.trust(members.filter((id) => id !== near[0]))).toBe(true)
    expect([proofOf(one), proofOf(two)]).toEqual(['unknown', 'proven'])
    expect([index.trust(members), index.trust(members)]).toEqual([true, false])
    expect([proofOf(one), proofOf(two)]).toEqual(['proven', 'unknown'])
  })
})

describe('what a new result changes', () => {
  test('the items that are in one of the two only', () => {
    expect(say(near[0]!, { items: [one, two] })).toEqual([tagOf(one), tagOf(two)])
    expect(say(near[0]!, { items: [two], passedAt: now + 5, ts: now + 5 })).toEqual([tagOf(one)])
    expect(say(near[0]!, { items: [two], ...fails(one) })).toEqual([tagOf(one)])
    expect(say(near[0]!, { items: [two], ...fails(one) })).toEqual([])
  })

  test('all of them when the former one counted no more', () => {
    say(near[0]!, { items: [one, two] })
    const later = now + PROOF_LASTS
    expect(say(near[0]!, { items: [one, two], passedAt: later, ts: later })).toEqual([tagOf(one), tagOf(two)])
  })

  test('nothing when it is none', () => {
    expect(say(near[0]!, { proven: 'AAA' })).toEqual([])
    const body = { passedAt: now, proven: '', failed: [] }
    expect(index.set({ pub: near[0]!, key: 'ab', ts: now, body })).toEqual([])
  })
})

test('the word on a bucket is the newest of who is believed and proved anything, however old', () => {
  expect(index.wordOn(holder, 0xab)).toEqual({ fails: false })
  say(near[0]!, { items: [one], passedAt: now - 5 * PROOF_LASTS })
  say(near[1]!, { items: [one], passedAt: now - 3 * PROOF_LASTS })
  say(near[2]!, fails(two))
  say(near[4]!, { items: [one] })
  expect(index.wordOn(holder, 0xab)).toEqual({ passedAt: now - 3 * PROOF_LASTS, fails: true })
  expect(index.wordOn(holder, 0xac)).toEqual({ fails: false })
})
