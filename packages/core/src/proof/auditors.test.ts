import { expect, test } from 'vitest'
import { fromBase64url, sha256, sha256OfNode, toBase64url } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import { Auditors } from './index.ts'

const key = (n: number): NodeId => toBase64url(new Uint8Array(32).fill(n))
const members = [1, 2, 3, 4, 5, 6].map(key)
const holder = key(200)

/** As the protocol says it, in whole numbers. */
function distance(auditor: NodeId, bucket: number): bigint {
  const target = sha256(Uint8Array.of(...fromBase64url(holder), bucket))
  const place = sha256OfNode(auditor)
  return Array.from({ length: 8 }, (_, i) => BigInt(place[i]! ^ target[i]!)).reduce((sum, byte) => sum * 256n + byte)
}

test('are the nearest by XOR, nearest first, in every bucket; the holder is not among its own', () => {
  const auditors = new Auditors()
  auditors.set([...members, holder])
  const chosen = new Set<NodeId>()
  for (let bucket = 0; bucket < 256; bucket++) {
    const name = bucket.toString(16).padStart(2, '0')
    const sorted = members.toSorted((a, b) => (distance(a, bucket) < distance(b, bucket) ? -1 : 1))
    expect(auditors.of(holder, name, 4)).toEqual(sorted.slice(0, 4))
    expect(auditors.of(holder, name)).toEqual(sorted.slice(0, 2))
    for (const id of auditors.of(holder, name)) chosen.add(id)
  }
  expect(chosen.size).toBe(members.length)
})

test('are fewer where there are few, and none of whom only the holder is', () => {
  const auditors = new Auditors()
  expect(auditors.of(holder, 'ab')).toEqual([])
  expect(auditors.set([holder])).toBe(true)
  expect(auditors.of(holder, 'ab')).toEqual([])
  expect(auditors.set([holder, key(1)])).toBe(true)
  expect(auditors.of(holder, 'ab')).toEqual([key(1)])
  expect(auditors.set([key(1), holder])).toBe(false)
  expect(auditors.set([key(1), key(2)])).toBe(true)
})
