import { base64 } from '@scure/base'
import { sha256 } from '../identity/index.ts'

/** The value of `Content-Digest` (RFC 9530) over a whole body; of no body at all it is that of zero bytes. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${base64.encode(sha256(body))}:`
}
