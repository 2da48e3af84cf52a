/** An unsigned 64-bit number as two unsigned 32-bit halves, which cost less than half of BigInt. */
export interface Halves {
  readonly high: number
  readonly low: number
}

/** The first 8 bytes, big-endian. */
export function firstHalves(bytes: Uint8Array): Halves {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  return { high: view.getUint32(0), low: view.getUint32(4) }
}

/**
 * The upper 32 bits of the 64-bit product of two unsigned 32-bit numbers, as a signed number. No sum leaves 32 bits: the
 * product of two 16-bit numbers and one more of them are below 2^32.
 */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const upper = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0
  const lower = (Math.imul(a0, b1) + (upper & 0xffff)) | 0
  return (Math.imul(a1, b1) + (upper >>> 16) + (lower >>> 16)) | 0
}

/**
 * The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), mapped to the
 * open interval (0, 1): the upper 52 bits plus one half, over 2^52, so that neither end is ever met.
 */
export function unitInterval(high: number, low: number): number {
  let h = high ^ (high >>> 30)
  let l = low ^ ((low >>> 30) | (high << 2))

  let product = (multiplyHigh(l, 0x1ce4e5b9) + Math.imul(h, 0x1ce4e5b9) + Math.imul(l, 0xbf58476d)) | 0
  l = Math.imul(l, 0x1ce4e5b9)
  h = product
  l ^= (l >>> 27) | (h << 5)
  h ^= h >>> 27

  product = (multiplyHigh(l, 0x133111eb) + Math.imul(h, 0x133111eb) + Math.imul(l, 0x94d049bb)) | 0
  l = Math.imul(l, 0x133111eb)
  h = product
  l ^= (l >>> 31) | (h << 1)
  h ^= h >>> 31

  return ((h >>> 0) * 0x100000 + (l >>> 12) + 0.5) / 0x10000000000000
}
