import { createSecretKey, hkdfSync } from 'node:crypto'
import { itemIdentityOf, openSmall } from '@eldernode/core'
import { generateX25519Identity } from 'age-encryption'
import { BrokenSecretError, readOrCreateSecret } from '@eldernode/member/keys'

/** An age X25519 identity (age-encryption.org/v1): what is encrypted to `recipient` only this node can open. */
export interface AgeIdentity {
  /** `age1...`; public. */
  readonly recipient: string
  /** The content of a small age file. @throws WrongIdentityError, SealBrokenError */
  open(file: Uint8Array): Promise<Uint8Array>
  /** 32 secret bytes that depend on the identity and on what they are for (HKDF-SHA-256). */
  derive(purpose: string): Uint8Array
}

/**
 * Reads an age identity as `age-keygen` writes it, or makes one.
 * @throws BrokenSecretError, ExposedSecretError; an existing file is never overwritten
 */
export async function openAgeIdentity(path: string): Promise<AgeIdentity> {
  const fresh = await generateX25519Identity()
  const { text } = readOrCreateSecret(path, () => `${fresh}\n`)
  const secret = text
    .split('\n')
    .find((line) => line.startsWith('AGE-SECRET-KEY-1'))
    ?.trim()
  const expected = 'an age X25519 identity'
  if (secret === undefined) throw new BrokenSecretError(path, expected)
  try {
    const { identity, recipient } = await itemIdentityOf(secret)
    const key = createSecretKey(identity, 'utf8')
    return {
      recipient,
      open: (file) => openSmall(file, identity),
      derive: (purpose) => new Uint8Array(hkdfSync('sha256', key, 'eldernode', purpose, 32)),
    }
  } catch {
    // The parser's own message may quote the key.
    throw new BrokenSecretError(path, expected)
  }
}
