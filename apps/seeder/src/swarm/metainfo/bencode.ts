import { InvalidInputError } from '@eldernode/core'

export type Bencoded = number | Uint8Array | Bencoded[] | Map<string, Bencoded>

/** Real messages nest 5 deep at most; the recursion of a hostile one must stay far from the stack's end. */
const maxDepth = 32

const [dictionary, list, integer, end, colon] = [0x64, 0x6c, 0x69, 0x65, 0x3a]

/**
 * Strict bencoding (BEP 3). Every length moves forward and ends within the input: the `bencode` package takes negative
 * lengths, reads `l-3:` for ever and fills memory, so that no foreign bytes may reach it before they passed here.
 */
class Reader {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Reads one value. */
  value(depth = 0): Bencoded {
    if (depth > maxDepth) throw new InvalidInputError('bencoding: nested too deep')
    const first = this.#bytes[this.position]
    if (first === integer) {
      this.position++
      return this.#digits(end, true)
    }
    if (first === list) {
      this.position++
      const items: Bencoded[] = []
      while (!this.#ends()) items.push(this.value(depth + 1))
      return items
    }
    if (first === dictionary) {
      this.position++
      const entries = new Map<string, Bencoded>()
      while (!this.#ends()) entries.set(Buffer.from(this.#string()).toString('latin1'), this.value(depth + 1))
      return entries
    }
    return this.#string()
  }

  /** The bytes of each value of a dictionary. */
  rawEntries(): Map<string, Uint8Array> {
    if (this.#bytes[this.position++] !== dictionary) throw new InvalidInputError('bencoding: not a dictionary')
    const found = new Map<string, Uint8Array>()
    while (!this.#ends()) {
      const name = Buffer.from(this.#string()).toString('latin1')
      const from = this.position
      this.#skip(1)
      found.set(name, this.#bytes.subarray(from, this.position))
    }
    return found
  }

  /** Passes over what `value` would read. */
  #skip(depth: number): void {
    if (depth > maxDepth) throw new InvalidInputError('bencoding: nested too deep')
    const first = this.#bytes[this.position]
    if (first === integer) {
      this.position++
      this.#digits(end, true)
    } else if (first === list || first === dictionary) {
      this.position++
      while (!this.#ends()) {
        if (first === dictionary) this.#string()
        this.#skip(depth + 1)
      }
    } else {
      this.#string()
    }
  }

  #ends(): boolean {
    if (this.position >= this.#bytes.length) throw new InvalidInputError('bencoding: ends too early')
    if (this.#bytes[this.position] !== end) return false
    this.position++
    return true
  }

  #string(): Uint8Array {
    const length = this.#digits(colon, false)
    const from = this.position
    if (from + length > this.#bytes.length) throw new InvalidInputError('bencoding: a string is longer than the input')
    this.position = from + length
    return this.#bytes.subarray(from, this.position)
  }

  #digits(until: number, signed: boolean): number {
    const negative = signed && this.#bytes[this.position] === 0x2d
    if (negative) this.position++
    const from = this.position
    let value = 0
    for (;;) {
      const byte = this.#bytes[this.position++]
      if (byte === until && this.position - 1 > from) break
      if (byte === undefined || byte < 0x30 || byte > 0x39 || this.position - from > 15) {
        throw new InvalidInputError('bencoding: not a number')
      }
      value = value * 10 + byte - 0x30
    }
    return negative ? -value : value
  }
}

/** One value that fills the input. Dictionary keys are latin1 strings. @throws InvalidInputError */
export function decode(bytes: Uint8Array): Bencoded {
  const reader = new Reader(bytes)
  const value = reader.value()
  if (reader.position !== bytes.length) throw new InvalidInputError('bencoding: bytes follow the value')
  return value
}

/** The bytes of each value of a dictionary, as they stand in the input. @throws InvalidInputError */
export function rawEntries(bytes: Uint8Array): Map<string, Uint8Array> {
  return new Reader(bytes).rawEntries()
}
