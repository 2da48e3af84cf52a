import { beforeAll, expect, test } from 'vitest'
import { WebIdentity, type NodeId } from '../identity/index.ts'
import { Auditors, BELIEVED } from './auditors.ts'
import { auditKey } from './key.ts'
import { ProofIndex } from './proof-index.ts'
import { packTags, tagOf } from './tags.ts'

const day = 86_400_000
const start = 1_800_000_000_000
const infoHash = 'ab'.repeat(20)
const proven = packTags([tagOf(infoHash)])
let holder: NodeId
/** The nearest first. */
let auditors: NodeId[]

beforeAll(async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, async () => (await WebIdentity.generate()).id))
  holder = ids[0]!
  const all = new Auditors()
  all.set(ids)
  auditors = all.of(holder, 'ab', 7)
})

const say = (index: ProofIndex, pub: NodeId, at: number, found = proven) =>
  index.set({ pub, key: auditKey(holder, 'ab'), ts: at, body: { passedAt: at, proven: found, failed: [] } })

test('auditors that are gone for good do not take the place of those who do the work', () => {
  const index = new ProofIndex()
  for (const gone of auditors.slice(0, BELIEVED)) say(index, gone, start)
  const now = start + 3 * day
  say(index, auditors[BELIEVED]!, now)
  index.trust(auditors)
  expect(index.proofOf(holder, infoHash, now)).toBe('unknown')
  index.trust(auditors, now)
  expect(index.proofOf(holder, infoHash, now)).toBe('proven')
})

test('one that found something in the last two days counts, and keeps those farther away from being believed', () => {
  const index = new ProofIndex()
  for (const near of auditors.slice(0, BELIEVED)) say(index, near, start, '')
  index.trust(auditors, start + 2 * day - 1)
  say(index, auditors[BELIEVED]!, start + 2 * day - 1)
  expect(index.proofOf(holder, infoHash, start + 2 * day)).toBe('unknown')
})

test('one that speaks again counts at once', () => {
  const index = new ProofIndex()
  index.trust(auditors, start)
  say(index, auditors[0]!, start)
  expect(index.proofOf(holder, infoHash, start)).toBe('proven')
  expect(index.trust(auditors, start)).toBe(false)
})
