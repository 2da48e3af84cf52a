import { auditKey, HolderIndex, packTags, ProofIndex, tagOf, toBase64url } from '@eldernode/core'
import { beforeEach, expect, test } from 'vitest'
import { ProofAges } from './proof-ages.ts'

const hour = 3_600_000
const start = 1_800_000_000_000
const [auditor, holder, other] = [1, 2, 3].map((n) => toBase64url(new Uint8Array(32).fill(n))) as [
  string,
  string,
  string,
]
const item = (bucket: string) => bucket.padEnd(40, '7')

let now: number
let live: string[]
let index: HolderIndex
let proofs: ProofIndex
let ages: ProofAges

beforeEach(() => {
  now = start
  live = [holder, other]
  index = new HolderIndex()
  proofs = new ProofIndex()
  proofs.trust([auditor])
  ages = new ProofAges({ others: () => live, index, proofs, now: () => now })
})

const claim = (node: string, bucket: string, hidden = false) =>
  index.set(node, bucket, { held: [item(bucket)], releasing: [], refused: [] }, hidden)

function pass(node: string, bucket: string, passedAt = now): void {
  const body = { passedAt, proven: packTags([tagOf(item(bucket))]), failed: [] }
  proofs.set({ pub: auditor, key: auditKey(node, bucket), ts: now, body })
}

const ageAt = (at: number) => {
  now = at
  const oldest = ages.oldest()
  return oldest === undefined ? undefined : now - oldest
}

test('there is none while nobody claims anything', () => {
  pass(holder, 'ab')
  expect(ageAt(start)).toBeUndefined()
})

test('it is the longest ago of what is claimed, and goes on when nobody audits any more', () => {
  claim(holder, 'ab')
  claim(other, 'cd', true)
  pass(holder, 'ab', start - hour)
  pass(other, 'cd', start - 2 * hour)
  pass(other, 'ef', start - 9 * hour)
  expect(ageAt(start)).toBe(2 * hour)
  expect(ageAt(start + 70 * hour)).toBe(72 * hour)
  pass(other, 'cd')
  expect(ageAt(start + 71 * hour)).toBe(72 * hour)
  live = [other]
  expect(ageAt(start + 72 * hour)).toBe(2 * hour)
})

test('what nobody ever audited counts from when it was seen; what fails is audited', () => {
  claim(holder, 'ab')
  expect(ageAt(start)).toBe(0)
  expect(ageAt(start + 30 * hour)).toBe(30 * hour)
  const failed = [{ tag: tagOf(item('ab')), piece: 0, since: now }]
  proofs.set({ pub: auditor, key: auditKey(holder, 'ab'), ts: now, body: { passedAt: 0, proven: '', failed } })
  expect(ageAt(start + 31 * hour)).toBeUndefined()
})
