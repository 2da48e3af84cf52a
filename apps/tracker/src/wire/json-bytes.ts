import { refuse } from './announce.ts'
import { wordsIn } from './words.ts'

/** How deep a message may be nested: offers of WebTorrent lie three deep. */
const maxDepth = 8

const quote = 34
const comma = 44
const colon = 58
const openArray = 91
const backslash = 92
const closeArray = 93
const unicode = 117
const openObject = 123
const closeObject = 125

/** Bytes that stand for themselves in a string. */
const plain = Uint8Array.from({ length: 256 }, (_, code) => Number(code >= 32 && code !== quote && code !== backslash))

/** What may follow a backslash alone. */
const escapes = Uint8Array.from({ length: 256 }, (_, code) => Number('"\\/bfnrt'.includes(String.fromCharCode(code))))

/**
 * Reads one JSON text (RFC 8259) from front to back without making anything of it: values are told by where they begin and
 * end, so that what is passed on to another peer is never decoded and never encoded again. Throws `InvalidInputError` at
 * the first fault.
 *
 * An object is read by `for (let more = json.enter(); more; more = json.more())`, each turn of which takes a `name` and
 * then its value; an array likewise, without names.
 */
export class JsonBytes {
  bytes: Buffer = Buffer.alloc(0)
  #words: Int32Array = new Int32Array(0)
  #offset = 0
  /** Where the next thing begins. */
  at = 0
  #end = 0

  /** @param to where the text ends */
  start(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes
    this.#words = wordsIn(bytes)
    this.#offset = bytes.byteOffset
    this.at = from
    this.#end = to
    this.#space()
  }

  /** Nothing may follow. */
  end(): void {
    this.#space()
    if (this.at !== this.#end) this.#fail()
  }

  get isObject(): boolean {
    return this.#peek() === openObject
  }

  get isArray(): boolean {
    return this.#peek() === openArray
  }

  get isString(): boolean {
    return this.#peek() === quote
  }

  /** Enters an object or array. @returns whether there is something in it */
  enter(depth: number): boolean {
    const close = this.#peek() === openObject ? closeObject : closeArray
    this.at++
    this.#space()
    if (this.#peek() === close) {
      this.at++
      return false
    }
    if (depth >= maxDepth) refuse(`the message is nested deeper than ${maxDepth}`)
    return true
  }

  /** Goes on behind a value. @returns whether there is another one */
  more(close: typeof closeObject | typeof closeArray = closeObject): boolean {
    this.#space()
    const code = this.#peek()
    if (code !== comma && code !== close) this.#fail()
    this.at++
    if (code === close) return false
    this.#space()
    return true
  }

  moreOfArray(): boolean {
    return this.more(closeArray)
  }

  /** Passes a name and its colon. @returns where the name ended, its quote included */
  name(): number {
    this.string()
    const end = this.at
    this.#space()
    if (this.#peek() !== colon) this.#fail()
    this.at++
    this.#space()
    return end
  }

  /** Passes a string. */
  string(): void {
    const { bytes } = this
    const end = this.#end
    let at = this.at
    if (at >= end || bytes[at++] !== quote) this.#fail()
    for (;;) {
      at = this.#plain(at)
      while (at < end && plain[bytes[at] as number] === 1) at++
      if (at + 1 >= end && (at >= end || bytes[at] !== quote)) this.#fail()
      const code = bytes[at] as number
      if (code === quote) break
      if (code !== backslash) this.#fail()
      const escape = bytes[at + 1] as number
      if (escapes[escape] === 1) at += 2
      else if (escape === unicode && at + 6 <= end && isHex(bytes, at + 2)) at += 6
      else this.#fail()
    }
    this.at = at + 1
  }

  /** @returns a place behind which something may be that does not stand for itself; all before it does */
  #plain(start: number): number {
    const { bytes } = this
    const words = this.#words
    const offset = this.#offset
    const end = this.#end - 4
    let at = start
    while (((offset + at) & 3) !== 0) {
      if (at > end || plain[bytes[at] as number] === 0) return at
      at++
    }
    for (let word = (offset + at) >> 2; at <= end; at += 4, word++) {
      const four = words[word] as number
      const quotes = four ^ 0x22222222
      const slashes = four ^ 0x5c5c5c5c
      // A byte that is less than what is taken off borrows from its highest bit.
      const less =
        ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes) | ((four - 0x20202020) & ~four)
      if ((less & 0x80808080) !== 0) return at
    }
    return at
  }

  /** Passes a value of any kind. */
  value(depth: number): void {
    const code = this.#peek()
    if (code === quote) return this.string()
    if (code === openObject) {
      for (let more = this.enter(depth); more; more = this.more()) {
        this.name()
        this.value(depth + 1)
      }
    } else if (code === openArray) {
      for (let more = this.enter(depth); more; more = this.moreOfArray()) this.value(depth + 1)
    } else this.#word()
  }

  /** Passes a value. @returns it if it is a number that is not negative, `NaN` for all else */
  amount(depth: number): number {
    const { bytes } = this
    const from = this.at
    let at = from
    let value = 0
    for (; at < this.#end; at++) {
      const digit = (bytes[at] as number) - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    const isPlain = at > from && at - from < 16 && (at === from + 1 || bytes[from] !== 48)
    if (isPlain && at < this.#end && (bytes[at] === comma || bytes[at] === closeObject)) {
      this.at = at
      return value
    }
    this.value(depth)
    if (at === from) return Number.NaN
    const given = Number(this.text(from, this.at))
    return Number.isFinite(given) ? given : Number.NaN
  }

  /** One character for each byte. */
  text(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to)
  }

  /** Whether these bytes are those of a text of ASCII. */
  is(from: number, to: number, text: string): boolean {
    const { bytes } = this
    if (to - from !== text.length) return false
    for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false
    return true
  }

  /** A number, `true`, `false` or `null`. */
  #word(): void {
    const from = this.at
    let at = from
    while (at < this.#end && isOfWord(this.bytes[at] as number)) at++
    // No number needs so many.
    if (at - from > 400 || !words.test(this.text(from, at))) this.#fail()
    this.at = at
  }

  #peek(): number {
    return this.at < this.#end ? (this.bytes[this.at] as number) : -1
  }

  #space(): void {
    for (; this.at < this.#end; this.at++) {
      const code = this.bytes[this.at]
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
    }
  }

  #fail(): never {
    return refuse('the message is no JSON')
  }
}

const words = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)$/

/** `+`, `-`, `.`, digits and letters. */
const isOfWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122) || code === 43 || code === 45 || code === 46

const isHex = (bytes: Uint8Array, from: number): boolean => {
  for (let at = from; at < from + 4; at++) {
    const code = bytes[at] as number
    const letter = code | 32
    if (!((code >= 48 && code <= 57) || (letter >= 97 && letter <= 102))) return false
  }
  return true
}
