import { refuse } from './announce.ts'

/** How deep a message may be nested: offers of WebTorrent lie three deep. */
const maxDepth = 8

const quote = 34
const backslash = 92

/**
 * Reads one JSON text (RFC 8259) from front to back without making anything of it. Values are handed on as the very text
 * they came in: what is passed on to another peer is never decoded and never encoded again. The text holds one character
 * for each byte of UTF-8. Throws `InvalidInputError` at the first fault.
 */
export class JsonText {
  readonly text: string
  #at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Calls back at each value of the object that begins here; the callback must read it. */
  object(depth: number, member: (name: string) => void): void {
    this.#expect(123)
    if (this.#accept(125)) return
    do {
      this.#space()
      const name = this.string()
      this.#expect(58)
      this.#space()
      this.#limit(depth)
      member(name)
    } while (this.#accept(44))
    this.#expect(125)
  }

  array(depth: number, element: () => void): void {
    this.#expect(91)
    if (this.#accept(93)) return
    do {
      this.#space()
      this.#limit(depth)
      element()
    } while (this.#accept(44))
    this.#expect(93)
  }

  /** The string that begins here, quotes and escapes included. */
  string(): string {
    const { text } = this
    const start = this.#at
    if (text.charCodeAt(start) !== quote) this.#fail()
    let at = start + 1
    for (;;) {
      const code = text.charCodeAt(at++)
      if (code === quote) break
      if (code === backslash) {
        const escape = text.charCodeAt(at++)
        if (escape === 117) {
          if (!/^[0-9a-f]{4}$/i.test(text.slice(at, at + 4))) this.#fail()
          at += 4
        } else if (!isEscape(escape)) this.#fail()
      } else if (!(code >= 32)) this.#fail()
    }
    this.#at = at
    return text.slice(start, at)
  }

  /** The value that begins here, as text. */
  value(depth: number): string {
    const start = this.#at
    const code = this.text.charCodeAt(start)
    if (code === quote) return this.string()
    if (code === 123) this.object(depth, () => this.value(depth + 1))
    else if (code === 91) this.array(depth, () => this.value(depth + 1))
    else {
      word.lastIndex = start
      if (!word.test(this.text)) this.#fail()
      this.#at = word.lastIndex
    }
    return this.text.slice(start, this.#at)
  }

  /** What kind of value begins here. */
  peek(): 'object' | 'array' | 'string' | 'other' {
    const code = this.text.charCodeAt(this.#at)
    return code === 123 ? 'object' : code === 91 ? 'array' : code === quote ? 'string' : 'other'
  }

  start(): void {
    this.#space()
  }

  /** Nothing may follow. */
  end(): void {
    this.#space()
    if (this.#at !== this.text.length) this.#fail()
  }

  #limit(depth: number): void {
    if (depth >= maxDepth) refuse(`the message is nested deeper than ${maxDepth}`)
  }

  #accept(code: number): boolean {
    this.#space()
    if (this.text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  #expect(code: number): void {
    if (!this.#accept(code)) this.#fail()
  }

  #space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#at++
    }
  }

  #fail(): never {
    return refuse('the message is no JSON')
  }
}

const word = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)/y

/** `"\/bfnrt` */
const isEscape = (code: number): boolean =>
  code === quote ||
  code === backslash ||
  code === 47 ||
  code === 98 ||
  code === 102 ||
  code === 110 ||
  code === 114 ||
  code === 116
