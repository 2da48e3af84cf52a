import { expect, test } from 'vitest'
import { fitsMap, mapOf } from './maps.ts'

const key = 'A'.repeat(43)

test.each([
  ['albums', 'albums'],
  ['albums/1', 'albums'],
  ['tracks/a-b_c.d/meta', 'tracks'],
  ['seed-requests/album:1', 'seed-requests'],
  ['eldernodes/x', 'eldernodes'],
  ['_test', '_test'],
  [`~${key}.${key}`, '~'],
  [`~${key}.${key}/posts/1`, '~'],
])('%s belongs to %s', (soul, map) => {
  expect(mapOf(soul)).toBe(map)
})

test.each([
  '',
  '~',
  '~/x',
  `~${key}`,
  `~@alice`,
  `~${key}.${key}x`,
  'album',
  'Albums/1',
  'albums/',
  'albums//1',
  'albums/a/b/c/d/e/f',
  'albums/a b',
  'albums/\u0000',
  `albums/${'x'.repeat(129)}`,
  'constructor',
  '__proto__',
  'toString/x',
  'en1/abcdefghijklmnop/o',
  'en1',
  'x',
])('%j belongs to no map', (soul) => {
  expect(mapOf(soul)).toBeUndefined()
})

test.each([
  ['previews', 'audioData', 2 ** 20, true],
  ['previews', 'audioData', 2 ** 20 + 1000, false],
  ['previews', 'other', 2 ** 20, false],
  ['albums', 'cover', 50 * 1024, true],
  ['albums', 'cover', 51 * 1024, false],
  ['albums', 'title', 50 * 1024, false],
  ['tracks', 'cover', 50 * 1024, false],
  ['_test', 'x', 2000, false],
  ['nothing', 'x', 1, false],
])('%s takes %s of %i bytes as base64: %s', (map, name, bytes, fits) => {
  const text = `data:audio/mpeg;base64,${'A'.repeat(Math.ceil(bytes / 3) * 4)}`
  expect(fitsMap(map, name, JSON.stringify(text))).toBe(fits)
})
