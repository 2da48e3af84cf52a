import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { SealBrokenError } from './errors.ts'

/** Bytes of plaintext in each chunk of an age v1 payload but the last, which may have fewer. */
export const chunkBytes = 64 * 1024
/** Bytes of the authentication tag behind each chunk. */
export const tagBytes = 16
/** Bytes of the nonce between an age file's header and its first chunk. */
export const payloadNonceBytes = 16

/**
 * ChaCha20-Poly1305 over single chunks of an age v1 payload (STREAM). Chunks are independent of each other: `index`
 * counts them from 0, `last` is part of what is authenticated, so that none can be cut off, added or moved.
 */
export interface PayloadCipher {
  /** @returns the ciphertext with its tag, 16 bytes more than `plain` */
  seal(key: Uint8Array, index: number, last: boolean, plain: Uint8Array): Uint8Array
  /** @throws SealBrokenError */
  open(key: Uint8Array, index: number, last: boolean, sealed: Uint8Array): Uint8Array
}

/** The key of a payload, 32 bytes (HKDF-SHA-256). */
export function payloadKeyOf(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return hkdf(sha256, fileKey, nonce, new TextEncoder().encode('payload'), 32)
}

/** The nonce of a chunk, 12 bytes: an 11 byte big-endian counter, then 1 on the last chunk. */
export function chunkNonce(index: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12)
  const view = new DataView(nonce.buffer)
  view.setUint32(3, Math.floor(index / 2 ** 32))
  view.setUint32(7, index % 2 ** 32)
  view.setUint8(11, last ? 1 : 0)
  return nonce
}

/** Bytes of all chunks with their tags for so many bytes of plaintext. */
export function payloadSizeOf(plain: number): number {
  return plain + tagBytes * Math.max(1, Math.ceil(plain / chunkBytes))
}

/** Bytes of plaintext in a payload of so many bytes. @throws SealBrokenError for a size that no payload has */
export function plainSizeOf(payload: number): number {
  const chunks = Math.max(1, Math.ceil(payload / (chunkBytes + tagBytes)))
  const plain = payload - chunks * tagBytes
  if (plain < 0 || payloadSizeOf(plain) !== payload) throw new SealBrokenError('was cut')
  return plain
}
