import { createHash } from 'node:crypto'

/** A .torrent of one file (BEP 3) with one tracker, and its infohash in hex. */
export function metainfo(
  name: string,
  bytes: Uint8Array,
  tracker: string,
  pieceLength = 65_536,
): { file: Buffer; infoHash: string } {
  const sums: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceLength) {
    sums.push(
      createHash('sha1')
        .update(bytes.subarray(at, at + pieceLength))
        .digest(),
    )
  }
  const pieces = Buffer.concat(sums)
  const info = Buffer.concat([
    Buffer.from(`d6:lengthi${bytes.length}e4:name${Buffer.byteLength(name)}:${name}`),
    Buffer.from(`12:piece lengthi${pieceLength}e6:pieces${pieces.length}:`),
    pieces,
    Buffer.from('e'),
  ])
  const head = Buffer.from(`d8:announce${Buffer.byteLength(tracker)}:${tracker}4:info`)
  return {
    file: Buffer.concat([head, info, Buffer.from('e')]),
    infoHash: createHash('sha1').update(info).digest('hex'),
  }
}
