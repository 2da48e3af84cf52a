/**
 * SipHash-2-4 (Aumasson and Bernstein) of an even count of 32-bit words, in 32-bit halves: a keyed hash of 64 bits that a
 * stranger can neither guess nor, from others, work out. Each pair of words is (low, high), as are key and result.
 */
export class SipHash {
  readonly #key: Int32Array
  // v0 to v3, each as low and high half.
  readonly #state = new Int32Array(8)
  low = 0
  high = 0

  /** @param key four words */
  constructor(key: Int32Array) {
    this.#key = key
  }

  /** Leaves the result in `low` and `high`. */
  hash(words: Int32Array): void {
    const key = this.#key
    const state = this.#state
    state[0] = 0x70736575 ^ (key[0] as number)
    state[1] = 0x736f6d65 ^ (key[1] as number)
    state[2] = 0x6e646f6d ^ (key[2] as number)
    state[3] = 0x646f7261 ^ (key[3] as number)
    state[4] = 0x6e657261 ^ (key[0] as number)
    state[5] = 0x6c796765 ^ (key[1] as number)
    state[6] = 0x79746573 ^ (key[2] as number)
    state[7] = 0x74656462 ^ (key[3] as number)
    for (let i = 0; i < words.length; i += 2) absorb(state, words[i] as number, words[i + 1] as number)
    absorb(state, 0, words.length << 26)
    state[4] = state[4] ^ 0xff
    rounds(state, 4)
    this.low = state[0] ^ state[2] ^ state[4] ^ state[6]
    this.high = state[1] ^ state[3] ^ state[5] ^ state[7]
  }
}

const absorb = (state: Int32Array, low: number, high: number): void => {
  state[6] = (state[6] as number) ^ low
  state[7] = (state[7] as number) ^ high
  rounds(state, 2)
  state[0] = (state[0] as number) ^ low
  state[1] = (state[1] as number) ^ high
}

const rounds = (state: Int32Array, count: number): void => {
  let [al, ah, bl, bh] = [state[0] as number, state[1] as number, state[2] as number, state[3] as number]
  let [cl, ch, dl, dh] = [state[4] as number, state[5] as number, state[6] as number, state[7] as number]
  for (let i = 0; i < count; i++) {
    let low = (al >>> 0) + (bl >>> 0)
    al = low | 0
    ah = (ah + bh + Number(low > 0xffff_ffff)) | 0
    let rotated = ((bl << 13) | (bh >>> 19)) ^ al
    bh = ((bh << 13) | (bl >>> 19)) ^ ah
    bl = rotated
    rotated = al
    al = ah
    ah = rotated
    low = (cl >>> 0) + (dl >>> 0)
    cl = low | 0
    ch = (ch + dh + Number(low > 0xffff_ffff)) | 0
    rotated = ((dl << 16) | (dh >>> 16)) ^ cl
    dh = ((dh << 16) | (dl >>> 16)) ^ ch
    dl = rotated
    low = (al >>> 0) + (dl >>> 0)
    al = low | 0
    ah = (ah + dh + Number(low > 0xffff_ffff)) | 0
    rotated = ((dl << 21) | (dh >>> 11)) ^ al
    dh = ((dh << 21) | (dl >>> 11)) ^ ah
    dl = rotated
    low = (cl >>> 0) + (bl >>> 0)
    cl = low | 0
    ch = (ch + bh + Number(low > 0xffff_ffff)) | 0
    rotated = ((bl << 17) | (bh >>> 15)) ^ cl
    bh = ((bh << 17) | (bl >>> 15)) ^ ch
    bl = rotated
    rotated = cl
    cl = ch
    ch = rotated
  }
  state[0] = al
  state[1] = ah
  state[2] = bl
  state[3] = bh
  state[4] = cl
  state[5] = ch
  state[6] = dl
  state[7] = dh
}
