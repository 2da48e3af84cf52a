import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { BrokenSecretError } from './errors.ts'
import { readOrCreateSecret } from './secret-file.ts'

/** The bearer token (RFC 6750) that every change through the HTTP API needs. */
export interface AdminToken {
  matches(candidate: string): boolean
}

/**
 * Reads the token (32 random bytes, base64url) or makes one.
 * @throws BrokenSecretError, ExposedSecretError
 */
export function openAdminToken(path: string): AdminToken {
  const token = readOrCreateSecret(path, () => `${randomBytes(32).toString('base64url')}\n`).text.trim()
  if (!/^[A-Za-z0-9_-]{32,512}$/.test(token)) {
    throw new BrokenSecretError(path, 'a token of 32 to 512 base64url characters')
  }
  const expected = digest(token)
  // Digests have one length and reveal nothing by the time their comparison takes.
  return { matches: (candidate) => timingSafeEqual(digest(candidate), expected) }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
