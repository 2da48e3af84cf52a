/**
 * HalfSipHash-1-3 of whole 32-bit words (Aumasson and Bernstein): what strangers choose, infohashes and addresses, must
 * not be found to fall on one place of a table. `low` and `high` are the secret key.
 */
export const keyHash = (low: number, high: number, words: Int32Array, count: number): number => {
  let a = low
  let b = high
  let c = low ^ 0x6c796765
  let d = high ^ 0x74656462
  for (let i = 0; i <= count; i++) {
    // The last word holds the length in its top byte.
    const word = i < count ? (words[i] as number) : count << 26
    d ^= word
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 7) | (d >>> 25)) ^ a
    c = (c + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ c
    c = (c << 16) | (c >>> 16)
    a ^= word
  }
  c ^= 0xff
  for (let i = 0; i < 3; i++) {
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 7) | (d >>> 25)) ^ a
    c = (c + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ c
    c = (c << 16) | (c >>> 16)
  }
  return b ^ d
}
