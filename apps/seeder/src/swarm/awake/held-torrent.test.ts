import { createHash } from 'node:crypto'
import bencode from 'bencode'
import { expect, test } from 'vitest'
import { HeldTorrent } from './held-torrent.ts'

function torrent(info: Record<string, unknown>, sizes = [100_000]) {
  const metainfo = bencode.encode({ announce: 'http://x/announce', info, zzz: 1 })
  const infoHash = createHash('sha1').update(bencode.encode(info)).digest('hex')
  return { infoHash, metainfo, files: sizes.map((size, index) => ({ path: `/blobs/${index}`, size })) }
}

const pieces = Buffer.alloc(7 * 20, 'abcdefghijklmnopqrst')
const info = { length: 100_000, name: 'x', 'piece length': 16_384, pieces }

test('what peers need is read from the metainfo', () => {
  const held = new HeldTorrent(torrent(info))
  expect(held).toMatchObject({ size: 100_000, pieceLength: 16_384, pieces: 7, private: false })
  expect(Buffer.from(held.info)).toEqual(Buffer.from(bencode.encode(info)))
  expect(Buffer.from(held.hashOf(3)).toString()).toBe('abcdefghijklmnopqrst')
  expect(new HeldTorrent(torrent({ ...info, private: 1 })).private).toBe(true)
})

test('sizes are those of the files on disk', () => {
  const files = [
    { length: 99_999, path: ['a'] },
    { length: 1, path: ['b'] },
  ]
  expect(new HeldTorrent(torrent({ ...info, length: undefined, files }, [99_999, 1])).size).toBe(100_000)
})

test.each([
  ['another infohash', { ...torrent(info), infoHash: 'a'.repeat(40) }],
  ['no info', { ...torrent(info), metainfo: new Uint8Array(Buffer.from('de')) }],
  ['no bencoding', { ...torrent(info), metainfo: new Uint8Array(Buffer.from('hello')) }],
  ['bencoding cut short', { ...torrent(info), metainfo: torrent(info).metainfo.subarray(0, 100) }],
  ['files of another size', torrent(info, [1])],
  ['hashes that are no bytes', torrent({ ...info, pieces: 5 })],
  ['pieces of no length', torrent({ ...info, 'piece length': 0 })],
  ['no piece length', torrent({ length: 5, name: 'x', pieces })],
])('metainfo that went bad on disk is refused: %s', (_what, whole) => {
  expect(() => new HeldTorrent(whole)).toThrow(/metadata|bencoding/)
})
