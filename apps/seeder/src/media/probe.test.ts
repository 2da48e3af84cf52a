import { mediaDetailsSchema } from '@eldernode/core'
import { expect, test } from 'vitest'
import { ToolFailedError } from './errors.ts'
import { readProbe } from './probe.ts'

const read = (answer: object) => readProbe(JSON.stringify(answer))
const video = { index: 0, codec_type: 'video', codec_name: 'h264', width: 1920, height: 1080 }
const audio = { index: 1, codec_type: 'audio', codec_name: 'aac' }

test('a film', () => {
  expect(read({ streams: [video, audio], format: { duration: '12.3456', tags: { TITLE: ' A\u0000film\n' } } })).toEqual(
    {
      title: 'A film',
      durationMs: 12_346,
      width: 1920,
      height: 1080,
      codecs: ['h264', 'aac'],
      hasAudio: true,
      hasVideo: true,
    },
  )
})

test.each([
  [90, 1080],
  [-90, 1080],
  [270, 1080],
  [180, 1920],
])('turned by %i degrees it is %i wide', (rotation, width) => {
  expect(read({ streams: [{ ...video, side_data_list: [{ rotation }] }] }).width).toBe(width)
})

test('an embedded picture is no film', () => {
  const cover = { ...video, index: 2, codec_name: 'png', disposition: { attached_pic: 1 } }
  const tags = { track: '3/12', disc: '2', Artist: 'Me' }
  expect(read({ streams: [audio, cover], format: { duration: '1', tags } })).toEqual({
    artist: 'Me',
    track: 3,
    disc: 2,
    durationMs: 1000,
    codecs: ['aac'],
    hasAudio: true,
    hasVideo: false,
    artwork: 2,
  })
})

test.each([
  ['lengths that are none', { format: { duration: 'N/A' } }],
  ['lengths without end', { format: { duration: '1e300' }, streams: [{ ...audio, duration: '-5' }] }],
  ['sizes that are none', { streams: [{ ...video, width: 0, height: -1 }] }],
  ['sizes beyond bounds', { streams: [{ ...video, width: 1e9, height: 1e9 }] }],
  ['half pixels', { streams: [{ ...video, width: 1.5, height: 2 }] }],
  ['streams that are none', { streams: ['x', null, 5, { index: -1 }, { index: 'a' }] }],
  ['no streams', { streams: {} }],
  ['tags that are no text', { format: { tags: { title: 5, artist: { a: 1 } } } }],
  ['endless tags', { format: { tags: { title: '😀'.repeat(5000) } } }],
  ['half a character', { format: { tags: { title: '\ud800' } } }],
  ['names of prototypes', { format: { tags: { __proto__: 'x', constructor: 'y' } } }],
  [
    'thousands of streams',
    { streams: Array.from({ length: 5000 }, (_, index) => ({ ...audio, index, codec_name: `${index}` })) },
  ],
])('%s make no manifest invalid', (_, answer) => {
  const { title, artist, width, height, durationMs, codecs } = read(answer)
  const details = { title, artist, width, height, durationMs, codecs: codecs.slice(0, 8) }
  expect(mediaDetailsSchema.safeParse(details).success).toBe(true)
})

test.each(['', 'x', '[1', 'null', '[]', '"text"'])('%j is no answer', (text) => {
  expect(() => readProbe(text)).toThrow(ToolFailedError)
})
