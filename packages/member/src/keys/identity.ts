import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Identity } from '@eldernode/core'
import { BrokenSecretError } from './errors.ts'
import { readOrCreateSecret } from './secret-file.ts'

/** An identity whose signatures are ready at once: Node's own Ed25519 is faster than WebCrypto, which only answers later. */
export interface NodeIdentity extends Identity {
  sign(message: Uint8Array): Uint8Array
}

/**
 * Reads an Ed25519 private key (PKCS #8 in PEM, RFC 8410) or makes one.
 * @throws BrokenSecretError, ExposedSecretError; an existing file is never overwritten
 */
export function openIdentity(path: string): NodeIdentity {
  const { text } = readOrCreateSecret(path, newKey)
  return identityOf(parse(path, text))
}

export function identityOf(privateKey: KeyObject): NodeIdentity {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (typeof x !== 'string') throw new TypeError('not an Ed25519 key')
  return { id: x, sign: (message) => sign(null, message, privateKey) }
}

function newKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

function parse(path: string, text: string): KeyObject {
  const expected = 'an Ed25519 private key in PEM'
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    // The parser's own message may quote the key.
    throw new BrokenSecretError(path, expected)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new BrokenSecretError(path, expected)
  return key
}
