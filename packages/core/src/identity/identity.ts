/** An Ed25519 public key, base64url without padding, 43 characters. It names a node, a publisher or an owner. */
export type NodeId = string

/** Signs with one Ed25519 private key. */
export interface Identity {
  readonly id: NodeId
  /** @returns the 64-byte Ed25519 signature (RFC 8032) over `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Checks Ed25519 signatures. `false` for any malformed key or signature, never a throw. */
export interface Verifier {
  verify(id: NodeId, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** A verifier that answers at once, so that checking a value costs no promise. */
export interface SyncVerifier extends Verifier {
  verify(id: NodeId, message: Uint8Array, signature: Uint8Array): boolean
}
