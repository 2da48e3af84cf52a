import bencode from 'bencode'
import { expect, test } from 'vitest'
import { torrentFile } from './index.ts'
import { describe } from './metainfo.ts'

const { metainfo, infoHash } = describe({
  name: 'ö',
  size: 1,
  pieceLength: 16_384,
  pieces: new Uint8Array(20).fill(255),
  files: [{ path: 'ö', size: 1 }],
})
const info = Buffer.from(metainfo).toString('latin1').slice(1, -1)

test('a .torrent has the trackers and web seeds of this node, and the info dictionary untouched', () => {
  const trackers = ['udp://127.0.0.1:8000', 'ws://127.0.0.1:8000']
  const torrent = torrentFile(metainfo, { trackers, webSeeds: ['http://127.0.0.1/ws/'] })
  expect(Buffer.from(torrent).toString('latin1')).toBe(
    `d8:announce20:${trackers[0]}13:announce-listll20:${trackers[0]}19:${trackers[1]}ee${info}8:url-listl20:http://127.0.0.1/ws/ee`,
  )
})

test('without either it is the metainfo as it was', () => {
  expect(torrentFile(metainfo, { trackers: [], webSeeds: [] })).toEqual(metainfo)
  expect(bencode.decode(metainfo)).toMatchObject({ info: { length: 1 } })
  expect(infoHash).toMatch(/^[0-9a-f]{40}$/)
})
