import { keyHash } from '../swarm/index.ts'
import type { SocketMessage } from '../wire/index.ts'

/** Words of a peer id, the length of an offer's id, and the longest of those. */
const peerWords = 5
const mostWords = peerWords + 1 + 64

/**
 * A number for each pair of an offer's id and the peer it came from, which says for whom an answer is. Whoever has not the
 * secret cannot find two that have one number.
 */
export class OfferKeys {
  readonly #words = new Int32Array(mostWords)
  readonly #secrets: Int32Array

  /** @param secret from 0 to below 1, unforeseeable */
  constructor(secret: () => number) {
    this.#secrets = Int32Array.from({ length: 4 }, () => (secret() * 2 ** 32) | 0)
  }

  /** @param from the peer id of who offered */
  keyOf(message: SocketMessage, which: number, from: Uint8Array): number {
    const { bytes } = message
    const start = message.idFrom(which)
    const end = message.idTo(which)
    this.#pack(from, 0, peerWords * 4, 0)
    for (let at = start; at < end; at++) if (bytes[at] === 92) return this.#spelled(bytes.toString('utf8', start, end))
    return this.#hash(bytes, start, end)
  }

  /** One id may be written in JSON in several ways. */
  #spelled(text: string): number {
    const plain = Buffer.from(JSON.stringify(JSON.parse(text)))
    return this.#hash(plain, 0, plain.length)
  }

  #hash(bytes: Uint8Array, from: number, to: number): number {
    const words = this.#words
    words[peerWords] = to - from
    const count = this.#pack(bytes, from, to, peerWords + 1)
    const high = keyHash(this.#secretOf(0), this.#secretOf(1), words, count)
    const low = keyHash(this.#secretOf(2), this.#secretOf(3), words, count)
    // All the bits that a number holds exactly.
    return (high >>> 11) * 2 ** 32 + (low >>> 0)
  }

  #secretOf(which: number): number {
    return this.#secrets[which] as number
  }

  /** @returns where the words end */
  #pack(bytes: Uint8Array, from: number, to: number, start: number): number {
    const words = this.#words
    let word = start
    for (let at = from; at < to; at += 4) {
      words[word++] =
        (bytes[at] as number) |
        ((at + 1 < to ? (bytes[at + 1] as number) : 0) << 8) |
        ((at + 2 < to ? (bytes[at + 2] as number) : 0) << 16) |
        ((at + 3 < to ? (bytes[at + 3] as number) : 0) << 24)
    }
    return word
  }
}
