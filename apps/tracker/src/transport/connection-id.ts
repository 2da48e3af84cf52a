import { randomBytes } from 'node:crypto'
import { SipHash } from './sip-hash.ts'

const windowMs = 60_000

/** Four words that nobody can guess. */
export const connectionSecret = (): Int32Array => new Int32Array(new Uint8Array(randomBytes(16)).buffer)

/**
 * The ids of BEP 15, which prove that a sender receives what is sent to its address: a spoofed address never learns
 * one, so this tracker cannot be aimed at a third party. Nothing is stored; an id is good for one to two minutes.
 */
export class ConnectionIds {
  readonly #hash: SipHash
  readonly #now: () => number
  // Address, port, window.
  readonly #words = new Int32Array(6)

  /**
   * @param now milliseconds
   * @param secret four words; those who share them, and the time, know each other's ids
   */
  constructor(now: () => number, secret: Int32Array = connectionSecret()) {
    this.#now = now
    this.#hash = new SipHash(secret)
  }

  /** The halves of the id that `issue` has made. */
  get high(): number {
    return this.#hash.high
  }

  get low(): number {
    return this.#hash.low
  }

  issue(address: Int32Array, port: number): void {
    this.#make(address, port, this.#window())
  }

  isValid(high: number, low: number, address: Int32Array, port: number): boolean {
    const window = this.#window()
    return this.#fits(high, low, address, port, window) || this.#fits(high, low, address, port, window - 1)
  }

  #fits(high: number, low: number, address: Int32Array, port: number, window: number): boolean {
    this.#make(address, port, window)
    // Both halves are compared at once, so that time tells nothing of one.
    return ((this.#hash.high ^ high) | (this.#hash.low ^ low)) === 0
  }

  #window(): number {
    return Math.floor(this.#now() / windowMs)
  }

  #make(address: Int32Array, port: number, window: number): void {
    const words = this.#words
    words.set(address)
    words[4] = port
    words[5] = window
    this.#hash.hash(words)
  }
}
