import { createHash } from 'node:crypto'
import bencode from 'bencode'

export interface InfoInput {
  name: string
  size: number
  pieceLength: number
  /** SHA-1 digests, one after the other. */
  pieces: Uint8Array
  /** One file makes a single-file item, more a folder. */
  files: { path: string; size: number }[]
}

/** The info dictionary (BEP 3), byte for byte as create-torrent makes it, in a .torrent without trackers. */
export function describe(input: InfoInput): { metainfo: Uint8Array; infoHash: string } {
  const content =
    input.files.length === 1
      ? { length: input.size }
      : { files: input.files.map(({ path, size }) => ({ length: size, path: path.split('/') })) }
  const info = { ...content, name: input.name, 'piece length': input.pieceLength, pieces: input.pieces }
  const infoHash = createHash('sha1').update(bencode.encode(info)).digest('hex')
  return { metainfo: bencode.encode({ info }), infoHash }
}

/**
 * A .torrent file of stored metainfo with this node's trackers (BEP 12, one tier) and web seeds (BEP 19). The info
 * dictionary, and so the infohash, stays as it is; other keys of `metainfo` are left out.
 */
export function torrentFile(metainfo: Uint8Array, add: { trackers: string[]; webSeeds: string[] }): Uint8Array {
  const { info } = bencode.decode(metainfo) as { info: unknown }
  const [announce] = add.trackers
  return bencode.encode({
    ...(announce === undefined ? {} : { announce, 'announce-list': [add.trackers] }),
    info,
    ...(add.webSeeds.length === 0 ? {} : { 'url-list': add.webSeeds }),
  })
}
