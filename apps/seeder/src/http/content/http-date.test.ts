import { expect, test } from 'vitest'
import { parseHttpDate } from './http-date.ts'

const now = Date.UTC(2026, 5, 1)

// RFC 9110, section 5.6.7.
test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Thu Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
  ['Friday, 06-Nov-70 08:49:37 GMT', Date.UTC(2070, 10, 6, 8, 49, 37)],
  ['Friday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37)],
])('%s', (text, moment) => {
  expect(parseHttpDate(text, now)).toBe(moment)
})

test.each([
  '',
  'yesterday',
  '2026-01-01T00:00:00Z',
  '2026',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 CET',
  'Sun, 06 Nov 1994 24:49:37 GMT',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
])('"%s" is no date of HTTP', (text) => {
  expect(parseHttpDate(text, now)).toBeNaN()
})
