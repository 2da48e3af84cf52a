import { InvalidInputError } from '@eldernode/core'

/** A place in the list of items: the last item of the page before. */
export interface Position {
  createdAt: number
  infoHash: string
}

const version = 1
const length = 1 + 8 + 20

/** The opaque text of a position: version, `createdAt` as a 64-bit integer and the infohash, in base64url. */
export function formatCursor({ createdAt, infoHash }: Position): string {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt8(version)
  bytes.writeBigUInt64BE(BigInt(createdAt), 1)
  bytes.write(infoHash, 9, 'hex')
  return bytes.toString('base64url')
}

/** @throws InvalidInputError when `cursor` is not exactly what `formatCursor` makes */
export function parseCursor(cursor: string): Position {
  const bytes = Buffer.from(cursor.slice(0, 64), 'base64url')
  const createdAt = bytes.length === length ? Number(bytes.readBigUInt64BE(1)) : NaN
  if (bytes[0] !== version || !Number.isSafeInteger(createdAt) || bytes.toString('base64url') !== cursor)
    throw new InvalidInputError('The cursor is not one of this list: leave it out to start from the newest item.')
  return { createdAt, infoHash: bytes.toString('hex', 9) }
}
