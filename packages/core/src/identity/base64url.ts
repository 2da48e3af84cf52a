import { base64urlnopad } from '@scure/base'
import { InvalidInputError } from '../errors.ts'

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

/**
 * Reads base64url without padding. Strict: unused bits must be zero, so that bytes have one spelling only.
 * @throws InvalidInputError
 */
export function fromBase64url(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text)
  } catch (cause) {
    throw new InvalidInputError('not base64url without padding; encode the bytes as in RFC 4648, section 5', { cause })
  }
}
