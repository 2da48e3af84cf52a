import { createCipheriv } from 'node:crypto'

const block = 16

/**
 * Hides the bytes of an upload that is to be encrypted, until they are: AES-256 in counter mode, by a key that lies in
 * the catalog and goes with the upload. It begins at any byte, and takes itself off again.
 */
export function veil(key: Uint8Array, offset: number): (bytes: Uint8Array) => Uint8Array {
  const counter = Buffer.alloc(block)
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / block)), 8)
  const cipher = createCipheriv('aes-256-ctr', key, counter)
  cipher.update(Buffer.alloc(offset % block))
  return (bytes) => cipher.update(bytes)
}
