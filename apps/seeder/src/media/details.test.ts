import { mediaDetailsSchema, type MediaDetails } from '@eldernode/core'
import { expect, test } from 'vitest'
import { detailsOf, type Probed } from './details.ts'
import { planOf } from './plan.ts'
import type { Probe } from './probe.ts'

const sound = (path: string, probe: Partial<Probe> = {}, size = 1): Probed => ({
  file: { path, type: 'audio/flac', size, sha256: '0'.repeat(64) },
  probe: { codecs: ['flac'], hasAudio: true, hasVideo: false, durationMs: 1000, ...probe },
})
const film = (path: string, probe: Partial<Probe> = {}, size = 1): Probed =>
  sound(path, { codecs: ['h264', 'aac'], hasVideo: true, width: 640, height: 360, ...probe }, size)

function detailsFor(probed: Probed[], given?: MediaDetails): MediaDetails {
  const details = detailsOf({ plan: planOf({ files: probed.map(({ file }) => file) }), probed }, given)
  expect(mediaDetailsSchema.parse(details)).toEqual(details)
  return details
}

test('a song has a title and a length, and no tracks', () => {
  expect(detailsFor([sound('a.flac', { title: 'T', artist: 'A', album: 'B', track: 3 })])).toEqual({
    title: 'T',
    artist: 'A',
    durationMs: 1000,
    codecs: ['flac'],
  })
})

test('an album is in the order of its own numbers, over its discs', () => {
  const files = [
    sound('b.flac', { title: 'Second', album: 'Album', artist: 'A', track: 2 }),
    sound('c.flac', { title: 'Third', album: 'Album', artist: 'A', track: 1, disc: 2 }),
    sound('a.flac', { title: 'First', album: 'Album', artist: 'A', track: 1 }),
  ]
  expect(detailsFor(files)).toEqual({
    title: 'Album',
    artist: 'A',
    durationMs: 3000,
    codecs: ['flac'],
    tracks: [
      { path: 'a.flac', title: 'First', durationMs: 1000 },
      { path: 'b.flac', title: 'Second', durationMs: 1000 },
      { path: 'c.flac', title: 'Third', durationMs: 1000 },
    ],
  })
})

test('when one has no number they stay as they were published; what differs is said of none', () => {
  const files = [sound('b', { track: 2, artist: 'A', album: 'X' }), sound('a', { artist: 'B' })]
  expect(detailsFor(files)).toEqual({
    durationMs: 2000,
    codecs: ['flac'],
    tracks: [
      { path: 'b', durationMs: 1000 },
      { path: 'a', durationMs: 1000 },
    ],
  })
})

test('what the publisher said stays: titles, and which tracks in which order', () => {
  const given = { title: 'Mine', tracks: [{ path: 'b', title: 'My B' }, { path: 'a' }, { path: 'c' }] }
  const probed = [sound('a', { title: 'Their A', track: 1 }), sound('b', { title: 'Their B', track: 2 })]
  expect(detailsFor(probed, given)).toEqual({
    title: 'Mine',
    codecs: ['flac'],
    tracks: [
      { path: 'b', title: 'My B', durationMs: 1000 },
      { path: 'a', title: 'Their A', durationMs: 1000 },
      { path: 'c' },
    ],
  })
})

test('the largest film stands for an item', () => {
  const probed = [film('sample.mp4', { width: 1 }, 10), film('film.mp4', { title: 'F' }, 1000), sound('song.flac')]
  expect(detailsFor(probed)).toEqual({
    title: 'F',
    width: 640,
    height: 360,
    durationMs: 1000,
    codecs: ['h264', 'aac'],
  })
})

test('nothing found says nothing, and keeps what the publisher said', () => {
  expect(detailsFor([])).toEqual({})
  expect(detailsFor([], { title: 'T' })).toEqual({ title: 'T' })
})
