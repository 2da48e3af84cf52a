import { createHash } from 'node:crypto'
import type { Sample } from './outcome.ts'

/** A piece as it comes: its sample, where one was asked for, and then the whole, of which nothing is kept. */
export class Answer {
  readonly #length: number
  readonly #sample: Sample | undefined
  readonly #first: Buffer
  readonly #digest = createHash('sha1')
  #received = 0
  #differs = false

  /** @param length bytes of the piece */
  constructor(length: number, sample: Sample | undefined) {
    this.#length = length
    this.#sample = sample
    this.#first = Buffer.alloc(sample?.length ?? 0)
  }

  get received(): number {
    return this.#received
  }

  /** Whether all has come that must come in time. */
  get isSampled(): boolean {
    return this.#received >= (this.#sample?.length ?? this.#length)
  }

  get isTooLong(): boolean {
    return this.#received > this.#first.length + this.#length
  }

  take(chunk: Uint8Array): void {
    const ahead = Math.min(Math.max(0, this.#first.length - this.#received), chunk.length)
    this.#first.set(chunk.subarray(0, ahead), Math.min(this.#received, this.#first.length))
    const rest = chunk.subarray(ahead)
    this.#compare(rest, this.#received + ahead - this.#first.length)
    this.#digest.update(rest)
    this.#received += chunk.length
  }

  /** Whether it was the piece with this SHA-1, and its sample a part of it. Asked once. */
  is(sha1: Uint8Array): boolean {
    const isWhole = this.#received === this.#first.length + this.#length
    return isWhole && !this.#differs && this.#digest.digest().equals(sha1)
  }

  /** @param at where in the piece the bytes are */
  #compare(bytes: Uint8Array, at: number): void {
    const { start, length } = this.#sample ?? { start: 0, length: 0 }
    const [from, to] = [Math.max(start, at), Math.min(start + length, at + bytes.length)]
    if (from >= to) return
    this.#differs ||= this.#first.compare(bytes, from - at, to - at, from - start, to - start) !== 0
  }
}
