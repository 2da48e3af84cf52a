import { Decrypter, Encrypter } from 'age-encryption'
import { InvalidInputError } from '../errors.ts'
import { SealBrokenError, WrongIdentityError } from './errors.ts'
import { payloadNonceBytes, tagBytes } from './payload.ts'

/** The header of an age v1 file, its MAC included, and the 16 byte key that it hides. */
export interface Header {
  header: Uint8Array
  fileKey: Uint8Array
}

/** Bytes of an age file for one X25519 recipient ahead of its first chunk: header and nonce. */
export const headBytes = 184

/** Of an age file's first bytes, as many as hold any header that this network makes; foreign ones may be longer. */
export const mostHeaderBytes = 4096

/** A fresh header for one file. @throws InvalidInputError for something that is no recipient */
export async function newHeader(recipients: readonly string[]): Promise<Header> {
  let fileKey: Uint8Array = new Uint8Array()
  const encrypter = new Encrypter()
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient)
  } catch (cause) {
    throw new InvalidInputError('not an age recipient: it begins with age1', { cause })
  }
  // Adds nothing to the header, and is told the key.
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = key.slice()
      return []
    },
  })
  const empty = await encrypter.encrypt(new Uint8Array())
  return { header: empty.slice(0, empty.length - payloadNonceBytes - tagBytes), fileKey }
}

/**
 * How many of an age file's first bytes are its header.
 * @throws SealBrokenError when it does not end within `start`
 */
export function headerLength(start: Uint8Array): number {
  const text = new TextDecoder('latin1').decode(start)
  const length = /^age-encryption\.org\/v1\n[^]*?\n--- [A-Za-z0-9+/]{43}\n/.exec(text)?.[0].length
  if (length === undefined) throw new SealBrokenError('has no header of age v1')
  return length
}

/** The key that a header hides. @throws WrongIdentityError, SealBrokenError */
export async function fileKeyOf(header: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = decrypterOf(identity)
  try {
    return await decrypter.decryptHeader(header)
  } catch (cause) {
    throw failure(cause)
  }
}

/** Opens a small age file in memory. @throws WrongIdentityError, SealBrokenError */
export async function openSmall(file: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = decrypterOf(identity)
  try {
    return await decrypter.decrypt(file)
  } catch (cause) {
    throw failure(cause)
  }
}

/** A small age file for one recipient. @throws InvalidInputError for something that is no recipient */
export async function sealSmall(content: Uint8Array, recipient: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  try {
    encrypter.addRecipient(recipient)
  } catch (cause) {
    throw new InvalidInputError('not an age recipient: it begins with age1', { cause })
  }
  return await encrypter.encrypt(content)
}

/**
 * A recipient may be well-formed and still none: of points of low order X25519 makes no secret (RFC 7748, section 6.1).
 * @throws InvalidInputError
 */
export async function checkRecipient(recipient: string): Promise<void> {
  try {
    await sealSmall(new Uint8Array(), recipient)
  } catch (cause) {
    throw new InvalidInputError(`Nothing can be encrypted for ${recipient}: have its reader make a new key.`, { cause })
  }
}

function decrypterOf(identity: string): Decrypter {
  const decrypter = new Decrypter()
  try {
    decrypter.addIdentity(identity)
  } catch {
    // The parser's own message may quote the key.
    throw new InvalidInputError('not an age identity: it begins with AGE-SECRET-KEY-1')
  }
  return decrypter
}

function failure(cause: unknown): Error {
  const unmatched = cause instanceof Error && cause.message.startsWith('no identity matched')
  return unmatched ? new WrongIdentityError({ cause }) : new SealBrokenError('cannot be opened', { cause })
}
