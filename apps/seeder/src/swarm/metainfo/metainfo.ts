import { createHash } from 'node:crypto'
import { nameSchema, pathSchema } from '@eldernode/core'
import { decode, rawEntries } from './bencode.ts'
import type { Bencoded } from './bencode.ts'
import { BadMetainfoError, FetchFailedError } from '../errors.ts'
import type { Metainfo } from '../port.ts'

/** 2,048 pieces take 40 KiB; the rest is for the names of many files. */
export const maxMetainfoBytes = 4 * 1024 * 1024
const maxFiles = 20_000

function text(value: Bencoded | undefined): string {
  if (!(value instanceof Uint8Array)) throw new BadMetainfoError('a name is missing')
  return Buffer.from(value).toString('utf8')
}

function count(value: Bencoded | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new BadMetainfoError(`${what} is not a size`)
  }
  return value
}

/** Reads the info dictionary (BEP 3). @throws BadMetainfoError, InvalidInputError when it is not bencoded */
function readInfo(info: Bencoded | undefined): Metainfo {
  if (!(info instanceof Map)) throw new BadMetainfoError('it has no info dictionary')
  const name = text(info.get('name'))
  if (!nameSchema.safeParse(name).success) throw new BadMetainfoError('its name is not a plain name')
  const pieceLength = count(info.get('piece length'), 'the piece length')
  const listed = info.get('files')
  const files: { path: string; size: number }[] = []
  if (Array.isArray(listed)) {
    if (listed.length === 0 || listed.length > maxFiles) throw new BadMetainfoError(`it lists ${listed.length} files`)
    for (const entry of listed) {
      if (!(entry instanceof Map)) throw new BadMetainfoError('a file entry is malformed')
      const parts = entry.get('path')
      if (!Array.isArray(parts)) throw new BadMetainfoError('a file has no path')
      const path = parts.map(text).join('/')
      if (!pathSchema.safeParse(path).success) throw new BadMetainfoError('a file path is not made of plain names')
      files.push({ path, size: count(entry.get('length'), 'a file length') })
    }
  } else {
    files.push({ path: name, size: count(info.get('length'), 'the length') })
  }
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const pieces = info.get('pieces')
  if (pieceLength < 1024 || !Number.isSafeInteger(size) || size === 0) throw new BadMetainfoError('its sizes are wrong')
  if (!(pieces instanceof Uint8Array) || pieces.length !== Math.ceil(size / pieceLength) * 20) {
    throw new BadMetainfoError('the number of piece hashes does not fit the size')
  }
  return { name, pieceLength, size, files, pieces, private: info.get('private') === 1 }
}

export interface Promised {
  infoHash: string
  size?: number
  pieceLength?: number
}

/**
 * Reads a .torrent file, or the `{info}` dictionary made from peers' metadata, and checks it against what was promised.
 * @throws BadMetainfoError; InvalidInputError when it is not bencoded
 */
export function readMetainfo(bytes: Uint8Array, promised: Promised): Metainfo {
  if (bytes.length > maxMetainfoBytes) throw new BadMetainfoError(`it is ${bytes.length} bytes long`)
  const root = decode(bytes)
  if (!(root instanceof Map)) throw new BadMetainfoError('it is not a dictionary')
  const metainfo = readInfo(root.get('info'))
  const info = rawEntries(bytes).get('info') ?? new Uint8Array()
  if (createHash('sha1').update(info).digest('hex') !== promised.infoHash) {
    throw new BadMetainfoError('its infohash differs')
  }
  if (promised.size !== undefined && metainfo.size !== promised.size) {
    throw new BadMetainfoError(`it describes ${metainfo.size} bytes where ${promised.size} were promised`)
  }
  if (promised.pieceLength !== undefined && metainfo.pieceLength !== promised.pieceLength) {
    throw new BadMetainfoError(
      `its pieces are ${metainfo.pieceLength} bytes where ${promised.pieceLength} were promised`,
    )
  }
  return metainfo
}

/** The engine's own reader may not see foreign bytes before this: some make it loop for ever. @throws FetchFailedError */
export function checkMetainfo(metainfo: Uint8Array, promised: Promised): void {
  try {
    readMetainfo(metainfo, promised)
  } catch (error) {
    throw new FetchFailedError(promised.infoHash, (error as Error).message, { cause: error })
  }
}
