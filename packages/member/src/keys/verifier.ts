import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { nodeIdSchema, type SyncVerifier } from '@eldernode/core'

/**
 * Checks Ed25519 signatures (RFC 8032) with Node's own code, at once. The last `capacity` signers' keys are kept:
 * parsing one costs about as much as a check. Strangers choose the ids, so the number is bounded.
 */
export function createVerifier(capacity = 1024): SyncVerifier {
  const keys = new Map<string, KeyObject>()

  const keyOf = (id: string): KeyObject | undefined => {
    const key = keys.get(id) ?? parse(id)
    if (key === undefined) return undefined
    // Re-inserting moves a key to the end, so the first is always the one unused for longest.
    keys.delete(id)
    keys.set(id, key)
    const [oldest] = keys.keys()
    if (keys.size > capacity && oldest !== undefined) keys.delete(oldest)
    return key
  }

  return {
    verify(id, message, signature) {
      if (signature.length !== 64) return false
      const key = keyOf(id)
      return key !== undefined && verify(null, message, key, signature)
    },
  }
}

function parse(id: string): KeyObject | undefined {
  if (!nodeIdSchema.safeParse(id).success) return undefined
  try {
    return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: id } })
  } catch {
    return undefined
  }
}
