import { expect, test } from 'vitest'
import { judge, rangeApplies } from './conditions.ts'

const modified = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const current = { etag: '"a"', modified }
const [same, before, after] = [0, -1000, 1000].map((ms) => new Date(modified + ms).toUTCString())

/** Every row is one of RFC 9110, sections 13.1 and 13.2.2. */
test.each([
  ['nothing', {}, 'proceed'],
  // 13.1.1: strong comparison.
  ['If-Match, ours', { 'if-match': '"a"' }, 'proceed'],
  ['If-Match, a list with ours', { 'if-match': '"b" , "a"' }, 'proceed'],
  ['If-Match, any', { 'if-match': ' * ' }, 'proceed'],
  ['If-Match, another', { 'if-match': '"b"' }, 'failed'],
  ['If-Match, ours but weak', { 'if-match': 'W/"a"' }, 'failed'],
  ['If-Match, a tag with a comma and a star', { 'if-match': '"b,*,c"' }, 'failed'],
  // 13.1.4: only without If-Match.
  ['If-Unmodified-Since, the same', { 'if-unmodified-since': same }, 'proceed'],
  ['If-Unmodified-Since, later', { 'if-unmodified-since': after }, 'proceed'],
  ['If-Unmodified-Since, earlier', { 'if-unmodified-since': before }, 'failed'],
  ['If-Unmodified-Since, no date', { 'if-unmodified-since': 'then' }, 'proceed'],
  ['If-Match before If-Unmodified-Since', { 'if-match': '"a"', 'if-unmodified-since': before }, 'proceed'],
  // 13.1.2: weak comparison.
  ['If-None-Match, ours', { 'if-none-match': '"a"' }, 'unmodified'],
  ['If-None-Match, ours but weak', { 'if-none-match': 'W/"a"' }, 'unmodified'],
  ['If-None-Match, a list with ours', { 'if-none-match': '"b,", W/"a"' }, 'unmodified'],
  ['If-None-Match, any', { 'if-none-match': '*' }, 'unmodified'],
  ['If-None-Match, another', { 'if-none-match': '"b"' }, 'proceed'],
  ['If-None-Match, a tag with a star', { 'if-none-match': '"b,*"' }, 'proceed'],
  // 13.1.3: only without If-None-Match.
  ['If-Modified-Since, the same', { 'if-modified-since': same }, 'unmodified'],
  ['If-Modified-Since, later', { 'if-modified-since': after }, 'unmodified'],
  ['If-Modified-Since, earlier', { 'if-modified-since': before }, 'proceed'],
  ['If-Modified-Since, no date', { 'if-modified-since': '2030' }, 'proceed'],
  ['If-None-Match before If-Modified-Since', { 'if-none-match': '"b"', 'if-modified-since': after }, 'proceed'],
  // 13.2.2: what must hold comes before what spares the bytes.
  ['If-Match fails before If-None-Match', { 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
  ['If-Match holds, then If-None-Match', { 'if-match': '"a"', 'if-none-match': '"a"' }, 'unmodified'],
  ['a date fails before If-None-Match', { 'if-unmodified-since': before, 'if-none-match': '"a"' }, 'failed'],
])('%s', (_name, headers, verdict) => {
  expect(judge(headers, current)).toBe(verdict)
})

test.each([
  [undefined, true],
  ['"a"', true],
  ['"b"', false],
  ['W/"a"', false],
  ['*', false],
  [same, true],
  [before, false],
  // Strong comparison of dates: even a later one is not ours.
  [after, false],
  ['no date', false],
])('If-Range: %s', (condition, applies) => {
  expect(rangeApplies(condition === undefined ? {} : { 'if-range': condition }, current)).toBe(applies)
})
