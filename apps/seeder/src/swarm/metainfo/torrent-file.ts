import { createHash } from 'node:crypto'
import { decode, rawEntries } from './bencode.ts'
import type { Bencoded } from './bencode.ts'
import { BadMetainfoError } from '../errors.ts'
import { maxMetainfoBytes, readMetainfo } from './metainfo.ts'
import type { TorrentFile } from '../port.ts'

/**
 * Reads a .torrent file (BEP 3, 12, 19): what it describes, apart from whom it names.
 * @throws BadMetainfoError; InvalidInputError when it is not bencoded
 */
export function readTorrentFile(bytes: Uint8Array): TorrentFile {
  if (bytes.length > maxMetainfoBytes) throw new BadMetainfoError(`it is ${bytes.length} bytes long`)
  const root = decode(bytes)
  if (!(root instanceof Map)) throw new BadMetainfoError('it is not a dictionary')
  const info = rawEntries(bytes).get('info')
  if (info === undefined) throw new BadMetainfoError('it has no info dictionary')
  const infoHash = createHash('sha1').update(info).digest('hex')
  // The very bytes: a dictionary written anew may have another hash.
  const metainfo = Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')])
  readMetainfo(metainfo, { infoHash })
  return {
    infoHash,
    metainfo,
    trackers: [...new Set([...texts(root.get('announce')), ...texts(root.get('announce-list'))])],
    webSeeds: [...new Set(texts(root.get('url-list')))],
  }
}

/** A string, or all those of lists of them. */
function texts(value: Bencoded | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(texts)
  return value instanceof Uint8Array && value.length > 0 ? [Buffer.from(value).toString('utf8')] : []
}
