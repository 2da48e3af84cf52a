import { InvalidInputError } from '@eldernode/core'

/** A place in the order of publication (see layouts/search.ts). It outlives its item. */
export type Place = bigint

const version = 2
const length = 1 + 8

/** The opaque text of a place: version and a 64-bit integer, in base64url. */
export function formatCursor(place: Place): string {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt8(version)
  bytes.writeBigInt64BE(place, 1)
  return bytes.toString('base64url')
}

/** @throws InvalidInputError when `cursor` is not exactly what `formatCursor` makes */
export function parseCursor(cursor: string): Place {
  const bytes = Buffer.from(cursor.slice(0, 64), 'base64url')
  const place = bytes.length === length ? bytes.readBigInt64BE(1) : -1n
  if (bytes[0] !== version || place < 0n || bytes.toString('base64url') !== cursor)
    throw new InvalidInputError('The cursor is not one of this list: leave it out to start from the newest item.')
  return place
}
