import { hash } from 'node:crypto'
import { wrongKey } from './port.ts'

/** 24 random bytes as base64url. */
const passkeyLength = 32

/**
 * The passkeys that hold, by their SHA-256: a key is looked up by the hash of what was sent, so that the time of an answer
 * tells nothing of any key, and the memory of this process holds none.
 */
export class Passkeys {
  readonly #byHash = new Map<string, number>()
  readonly #hashes = new Map<number, string>()

  get size(): number {
    return this.#hashes.size
  }

  /**
   * @param id of the ledger, 1 or more
   * @param digest SHA-256 of the passkey, base64url
   */
  put(id: number, digest: string): void {
    this.remove(id)
    this.#byHash.set(digest, id)
    this.#hashes.set(id, digest)
  }

  /** @returns whether it was there */
  remove(id: number): boolean {
    const digest = this.#hashes.get(id)
    if (digest === undefined) return false
    this.#hashes.delete(id)
    this.#byHash.delete(digest)
    return true
  }

  /** The id of a passkey, or `wrongKey`. */
  find(passkey: string): number {
    if (passkey.length !== passkeyLength) return wrongKey
    return this.#byHash.get(hash('sha256', passkey, 'base64url')) ?? wrongKey
  }

  has(id: number): boolean {
    return this.#hashes.has(id)
  }

  hashOf(id: number): string | undefined {
    return this.#hashes.get(id)
  }

  ids(): number[] {
    return [...this.#hashes.keys()]
  }
}
