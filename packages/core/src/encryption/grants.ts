import { base64 } from '@scure/base'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { InvalidInputError } from '../errors.ts'
import { sha256 } from '../identity/index.ts'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { SealBrokenError } from './errors.ts'
import { sealSmall } from './header.ts'
import { type Grant, recipientKey } from './schema.ts'

/** An item's own age identity; whoever has `identity` reads the item. */
export interface ItemIdentity {
  identity: string
  recipient: string
}

export async function newItemIdentity(): Promise<ItemIdentity> {
  return await itemIdentityOf(await generateX25519Identity())
}

/** @throws InvalidInputError for something that is no identity */
export async function itemIdentityOf(identity: string): Promise<ItemIdentity> {
  try {
    return { identity, recipient: await identityToRecipient(identity) }
  } catch {
    // The parser's own message may quote the key.
    throw new InvalidInputError('not an age X25519 identity: it begins with AGE-SECRET-KEY-1')
  }
}

/** How a grant names its reader: the first 16 bytes of SHA-256(infohash ‖ X25519 public key), in hex. */
export function readerOf(infoHash: string, recipient: string): string {
  return bytesToHex(sha256(concatBytes(hexToBytes(infoHash), recipientKey(recipient))).slice(0, 16))
}

/** The key of a grant in its soul. */
export function grantKeyOf({ infoHash, reader }: Pick<Grant, 'infoHash' | 'reader'>): string {
  return `${infoHash}.${reader}`
}

/** @throws InvalidInputError for something that is no recipient */
export async function newGrant(infoHash: string, identity: string, recipient: string): Promise<Grant> {
  const wrapped = await sealSmall(new TextEncoder().encode(identity), recipient)
  return { infoHash, reader: readerOf(infoHash, recipient), wrapped: base64.encode(wrapped) }
}

export function withdrawnGrant(infoHash: string, recipient: string): Grant {
  return { infoHash, reader: readerOf(infoHash, recipient) }
}

/**
 * The item's identity out of `wrapped`, of a grant.
 * @param open opens a small age file by the reader's identity
 * @throws SealBrokenError when it holds no identity; what `open` throws
 */
export async function openGrant(
  wrapped: string,
  open: (file: Uint8Array) => Promise<Uint8Array>,
): Promise<ItemIdentity> {
  const content = await open(base64.decode(wrapped))
  try {
    return await itemIdentityOf(new TextDecoder().decode(content))
  } catch {
    throw new SealBrokenError('of a grant holds no identity')
  }
}
