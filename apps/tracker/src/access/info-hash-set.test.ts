import { strict as assert } from 'node:assert'
import { expect, it } from 'vitest'
import { InfoHashSet } from './info-hash-set.ts'
import { infoHashWords } from './info-hash-words.ts'

const pick = (below: number): number => Math.floor(Math.random() * below)

it('holds what a plain set holds', () => {
  const set = new InfoHashSet(Math.random)
  const plain = new Set<string>()
  for (let step = 0; step < 20_000; step++) {
    const words = Int32Array.of(pick(40), -pick(40), 0, 7, pick(20))
    const name = words.join()
    assert.equal(set.has(words), plain.has(name))
    // It grows for a while and shrinks for a while.
    if (pick(4) < (step % 8000 < 5000 ? 3 : 1)) {
      assert.equal(set.add(words), !plain.has(name))
      plain.add(name)
    } else assert.equal(set.remove(words), plain.delete(name))
    assert.equal(set.size, plain.size)
  }
  expect(plain.size).toBeGreaterThan(100)
})

it('takes over another one in no time, and forgets its own', () => {
  const [one, other] = [new InfoHashSet(Math.random), new InfoHashSet(Math.random)]
  one.add(new Int32Array(5).fill(1))
  for (let n = 2; n < 2000; n++) other.add(new Int32Array(5).fill(n))
  one.replaceWith(other)
  expect([one.size, one.has(new Int32Array(5).fill(1)), one.has(new Int32Array(5).fill(1999))]).toEqual([
    1998,
    false,
    true,
  ])
})

it('takes at most 160 bytes for each of many, with what is left behind as it grows', () => {
  const set = new InfoHashSet(Math.random)
  const words = new Int32Array(5)
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 100_000; n++) {
    words[3] = n
    set.add(words)
  }
  expect((process.memoryUsage().arrayBuffers - before) / 100_000).toBeLessThan(160)
})

it.each([
  [
    '0123456789abcdef0123456789ABCDEF80000001',
    [0x01234567, 0x89abcdef | 0, 0x01234567, 0x89abcdef | 0, 0x80000001 | 0],
  ],
  ['0'.repeat(39)],
  ['0'.repeat(41)],
  [` ${'0'.repeat(39)}`],
  ['g'.repeat(40)],
  ['constructor'],
  [''],
])('infohash "%s"', (hex, words?: number[]) => {
  const into = new Int32Array(5)
  expect(infoHashWords(hex, into) ? [...into] : undefined).toEqual(words)
})
