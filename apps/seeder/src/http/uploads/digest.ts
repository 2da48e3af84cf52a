import type { IncomingHttpHeaders } from 'node:http'
import { InvalidInputError } from '@eldernode/core'

const entry = /^sha-256=:([A-Za-z0-9+/]+={0,2}):$/
const bytes = 32

/**
 * The SHA-256 that `Repr-Digest` or `Content-Digest` (RFC 9530) say of a body without a content coding, for which both
 * are the same. Digests of other algorithms are passed over, as the RFC has it.
 * @returns in hex; undefined when neither says it
 * @throws InvalidInputError for one that is no digest, or for two that differ
 */
export function announcedSha256(headers: IncomingHttpHeaders): string | undefined {
  let found: string | undefined
  for (const name of ['repr-digest', 'content-digest']) {
    const value = headers[name]
    if (typeof value !== 'string') continue
    for (const part of value.split(',').map((text) => text.trim())) {
      if (!part.startsWith('sha-256=')) continue
      const digest = Buffer.from(entry.exec(part)?.[1] ?? '', 'base64')
      const hex = digest.toString('hex')
      if (digest.length !== bytes) throw new InvalidInputError(`${name} is not valid: expected sha-256=:<base64>:.`)
      if (found !== undefined && found !== hex) throw new InvalidInputError('The headers say two SHA-256 that differ.')
      found = hex
    }
  }
  return found
}
