import { expect, it } from 'vitest'
import { SipHash } from './sip-hash.ts'

/** Bytes 00 01 02 ... as little-endian words. */
const counting = (words: number): Int32Array =>
  new Int32Array(Uint8Array.from({ length: words * 4 }, (_, i) => i).buffer)

// From the vectors of the reference implementation, for 0, 8 and 16 bytes under the key 00 to 0f.
it.each([
  [0, '310e0edd47db6f72'],
  [2, '6224939a79f5f593'],
  [4, 'db9bc2577fcc2a3f'],
])('of %i words', (words, expected) => {
  const hash = new SipHash(counting(4))
  hash.hash(counting(words))
  const bytes = Buffer.alloc(8)
  bytes.writeInt32LE(hash.low, 0)
  bytes.writeInt32LE(hash.high, 4)
  expect(bytes.toString('hex')).toBe(expected)
})
