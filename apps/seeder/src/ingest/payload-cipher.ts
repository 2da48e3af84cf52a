import { createCipheriv, createDecipheriv } from 'node:crypto'
import { chunkNonce, type PayloadCipher, SealBrokenError, tagBytes } from '@eldernode/core'

const algorithm = 'chacha20-poly1305'
const options = { authTagLength: tagBytes }

/** The payload cipher of age v1 by OpenSSL (RFC 8439), about ten times faster than one in JavaScript. */
export const payloadCipher: PayloadCipher = {
  seal: (key, index, last, plain) => {
    const cipher = createCipheriv(algorithm, key, chunkNonce(index, last), options)
    const sealed = new Uint8Array(plain.length + tagBytes)
    sealed.set(cipher.update(plain))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plain.length)
    return sealed
  },
  open: (key, index, last, sealed) => {
    if (sealed.length < tagBytes) throw new SealBrokenError('was cut')
    const end = sealed.length - tagBytes
    const decipher = createDecipheriv(algorithm, key, chunkNonce(index, last), options)
    decipher.setAuthTag(sealed.subarray(end))
    try {
      const plain = decipher.update(sealed.subarray(0, end))
      decipher.final()
      return plain
    } catch (cause) {
      throw new SealBrokenError(`is wrong at chunk ${index}`, { cause })
    }
  },
}
