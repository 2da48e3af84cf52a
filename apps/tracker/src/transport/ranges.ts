import { kinds } from '../swarm/index.ts'
import { type Family, parseAddress } from './address.ts'

interface Range {
  kind: Family
  words: Int32Array
  masks: Int32Array
}

/** Ranges of addresses such as `10.0.0.0/8`, checked already, for look-up by the words of an address. */
export class Ranges {
  readonly #ranges: Range[]

  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map((text) => {
      const [address = '', prefix] = text.split('/')
      const words = new Int32Array(4)
      const kind = parseAddress(address, words) ?? kinds.ipv4
      const bits = Number(prefix ?? 128)
      const masks = Int32Array.from({ length: 4 }, (_, i) => {
        const ones = Math.min(32, Math.max(0, bits - 32 * i))
        return ones === 0 ? 0 : -1 << (32 - ones)
      })
      return { kind, words, masks }
    })
  }

  has(kind: Family, address: Int32Array): boolean {
    return this.#ranges.some(
      (range) =>
        range.kind === kind &&
        range.masks.every((mask, i) => (((address[i] as number) ^ (range.words[i] as number)) & mask) === 0),
    )
  }
}
