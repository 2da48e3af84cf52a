import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { readTorrentFile } from '../index.ts'

const info = `d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:${'p'.repeat(20)}e`
const read = (text: string) => readTorrentFile(Buffer.from(text))

test('what is described is told apart from who is named', () => {
  const found = read(
    `d8:announce10:http://a/113:announce-listll10:http://a/110:http://a/2el9:udp://b:1ee4:info${info}8:url-listl9:http://c/ee`,
  )
  expect({ ...found, metainfo: Buffer.from(found.metainfo).toString() }).toEqual({
    infoHash: createHash('sha1').update(info).digest('hex'),
    metainfo: `d4:info${info}e`,
    trackers: ['http://a/1', 'http://a/2', 'udp://b:1'],
    webSeeds: ['http://c/'],
  })
  expect(read(`d4:info${info}8:url-list9:http://c/e`).webSeeds).toEqual(['http://c/'])
})

test('a dictionary that is not in order keeps its bytes, and so its infohash', () => {
  const odd = `d4:name1:x6:lengthi5e6:pieces20:${'p'.repeat(20)}12:piece lengthi16384ee`
  const found = read(`d4:info${odd}e`)
  expect(found.infoHash).toBe(createHash('sha1').update(odd).digest('hex'))
  expect(Buffer.from(found.metainfo).toString()).toBe(`d4:info${odd}e`)
})

test.each([
  ['nothing', ''],
  ['a list', 'le'],
  ['no info', 'de'],
  ['an info that is a list', 'd4:infolee'],
  ['no pieces', 'd4:infod6:lengthi5e4:name1:x12:piece lengthi16384eee'],
  ['a name that is a path', `d4:info${info.replace('1:x', '4:../x')}e`],
  ['a size that no file has', `d4:info${info.replace('i5e', 'i-5e')}e`],
  ['too few hashes', `d4:info${info.replace('i5e', 'i50000e')}e`],
  ['more than it may be', `d4:info${info}1:x5000000:${'x'.repeat(5_000_000)}e`],
  ['what makes a parser loop', 'd4:infol-3:ee'],
])('%s is refused', (_what, text) => {
  expect(() => read(text)).toThrow(/.+/)
})
