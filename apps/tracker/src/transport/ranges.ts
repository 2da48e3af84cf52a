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
    const ranges = this.#ranges
    for (let i = 0; i < ranges.length; i++) if (isIn(ranges[i] as Range, kind, address)) return true
    return false
  }
}

const isIn = ({ kind, words, masks }: Range, family: Family, address: Int32Array): boolean => {
  if (kind !== family) return false
  for (let i = 0; i < 4; i++) {
    if ((((address[i] as number) ^ (words[i] as number)) & (masks[i] as number)) !== 0) return false
  }
  return true
}
