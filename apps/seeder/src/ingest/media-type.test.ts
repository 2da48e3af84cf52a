import { expect, test } from 'vitest'
import { mediaTypeOf } from './media-type.ts'

const opus = Buffer.concat([Buffer.from('OggS'), Buffer.alloc(24), Buffer.from('OpusHead'), Buffer.alloc(20)])
const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')

test.each<[string, Uint8Array, string]>([
  ['a.txt', png, 'image/png'],
  ['a.opus', opus, 'audio/ogg'],
  ['a.png', Buffer.from('plain'), 'application/octet-stream'],
  ['a.txt', Buffer.from('plain\r\n\ttext'), 'text/plain'],
  ['A.MD', Buffer.from('# Ünïcode'), 'text/markdown'],
  ['a.vtt', Buffer.from('WEBVTT\n'), 'text/vtt'],
  ['a.html', Buffer.from('<p>hello'), 'text/html'],
  ['a.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'],
  ['a.svg', Buffer.from('<?xml version="1.0"?><svg/>'), 'image/svg+xml'],
  ['a.xml', Buffer.from('<?xml version="1.0"?><a/>'), 'application/xml'],
  ['list.m3u8', Buffer.from('#EXTM3U'), 'application/vnd.apple.mpegurl'],
  ['a.txt', Buffer.from('cut in a character: ö').subarray(0, -1), 'text/plain'],
  ['a.txt', Buffer.from('nul\0'), 'application/octet-stream'],
  ['a.txt', Buffer.from([0x61, 0xff, 0x61]), 'application/octet-stream'],
  ['a', Buffer.from('plain'), 'application/octet-stream'],
  ['a.constructor', Buffer.from('plain'), 'application/octet-stream'],
])('%s', async (path, head, type) => {
  expect(await mediaTypeOf(head, path)).toBe(type)
})

test('hostile beginnings have a type too, and never throw', async () => {
  const magics = [
    '1f8b08',
    '504b0304',
    '494433ffffffffffff',
    '1a45dfa3',
    '3026b2758e66cf11',
    '49492a00',
    '4f676753',
    '89504e470d0a1a0a',
    '52494646',
    'fffb',
    '0000001c66747970',
    '377abcaf271c',
  ]
  for (const magic of magics) {
    for (const fill of [0x00, 0xff, 0x41, 0x7f]) {
      for (const length of [0, 1, 30, 4100]) {
        const head = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(length, fill)])
        expect(await mediaTypeOf(head, 'a.bin')).toMatch(/^[a-z]+\/[\w.+-]+/)
      }
    }
  }
})
