import { chunkBytes, tagBytes } from '@eldernode/core'
import { sealChunk } from './payload-cipher.ts'

/** Encrypts one file's bytes, a stretch at a time, as the payload of an age v1 file. */
export class Sealer {
  readonly #key: Uint8Array
  #next = 0

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /**
   * Replaces the first `length` bytes of `memory`, whole chunks unless they are the file's last, by their ciphertext. It
   * has room for that.
   */
  seal(memory: Uint8Array, length: number, last: boolean): void {
    const chunks = Math.ceil(length / chunkBytes)
    // From the last chunk on: ciphertext is longer, and reaches into the plaintext of the next.
    for (let n = chunks - 1; n >= 0; n--) {
      const plain = memory.subarray(n * chunkBytes, Math.min(length, (n + 1) * chunkBytes))
      const target = memory.subarray(n * (chunkBytes + tagBytes))
      sealChunk(this.#key, this.#next + n, last && n === chunks - 1, plain, target)
    }
    this.#next += chunks
  }
}
