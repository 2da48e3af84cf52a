import { fromBase64url } from './base64url.ts'
import type { NodeId, Verifier } from './identity.ts'
import { nodeIdSchema } from './schema.ts'

/** Imported keys kept at most; the least recently used goes first. */
const MAX_KEYS = 1024

/** Checks signatures with WebCrypto; the same in browsers and Node. */
export class WebVerifier implements Verifier {
  readonly #keys = new Map<NodeId, CryptoKey>()

  async verify(id: NodeId, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (signature.length !== 64) return false
    const key = await this.#keyOf(id)
    if (key === undefined) return false
    return await crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message))
  }

  async #keyOf(id: NodeId): Promise<CryptoKey | undefined> {
    const known = this.#keys.get(id)
    if (known !== undefined) {
      this.#keys.delete(id)
      this.#keys.set(id, known)
      return known
    }
    if (!nodeIdSchema.safeParse(id).success) return undefined
    const raw = new Uint8Array(fromBase64url(id))
    const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']).catch(() => undefined)
    if (key === undefined) return undefined
    this.#keys.set(id, key)
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MAX_KEYS) break
      this.#keys.delete(oldest)
    }
    return key
  }
}
