import { hash } from 'node:crypto'
import { type Keys, wrongKey } from './port.ts'

/** 24 random bytes as base64url. */
const passkeyLength = 32

/**
 * The passkeys that hold, by their SHA-256: a key is looked up by the hash of what was sent, so that the time of an answer
 * tells nothing of any key, and the memory of this process holds none.
 */
export class Passkeys implements Keys {
  readonly #byHash = new Map<string, number>()
  readonly #hashes = new Map<number, string>()

  get size(): number {
    return this.#hashes.size
  }

  put(id: number, digest: Uint8Array): void {
    this.remove(id)
    const text = Buffer.from(digest).toString('base64')
    this.#byHash.set(text, id)
    this.#hashes.set(id, text)
  }

  remove(id: number): boolean {
    const text = this.#hashes.get(id)
    if (text === undefined) return false
    this.#hashes.delete(id)
    if (this.#byHash.get(text) === id) this.#byHash.delete(text)
    return true
  }

  /** Its number, or `wrongKey`. */
  find(passkey: string): number {
    if (passkey.length !== passkeyLength) return wrongKey
    return this.#byHash.get(hash('sha256', passkey, 'base64')) ?? wrongKey
  }

  has(id: number): boolean {
    return this.#hashes.has(id)
  }
}
