import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { BrokenSecretError } from './errors.ts'
import { readOrCreateSecret } from './secret-file.ts'

/** An age X25519 identity (age-encryption.org/v1): what is encrypted to `recipient` only this node can open. */
export interface AgeIdentity {
  /** `age1...`; public. */
  readonly recipient: string
}

/**
 * Reads an age identity as `age-keygen` writes it, or makes one.
 * @throws BrokenSecretError, ExposedSecretError; an existing file is never overwritten
 */
export async function openAgeIdentity(path: string): Promise<AgeIdentity> {
  const fresh = await generateX25519Identity()
  const { text } = readOrCreateSecret(path, () => `${fresh}\n`)
  const secret = text.split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-1'))
  const expected = 'an age X25519 identity'
  if (secret === undefined) throw new BrokenSecretError(path, expected)
  try {
    return { recipient: await identityToRecipient(secret.trim()) }
  } catch {
    // The parser's own message may quote the key.
    throw new BrokenSecretError(path, expected)
  }
}
