import { sha256 as digest } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { fromBase64url, toBase64url } from './base64url.ts'
import type { NodeId } from './identity.ts'

/** SHA-256 of bytes in memory, 32 bytes. For files use the platform's streaming hash, which is many times faster. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return digest(bytes)
}

/** SHA-256 of bytes in memory, 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(digest(bytes))
}

/** SHA-256 over the 32 raw bytes of a node's public key. */
export function sha256OfNode(id: NodeId): Uint8Array {
  return digest(fromBase64url(id))
}

/** The id of the network that `firstOwner` founded: 16 characters. */
export function networkIdOf(firstOwner: NodeId): string {
  return toBase64url(sha256OfNode(firstOwner)).slice(0, 16)
}
