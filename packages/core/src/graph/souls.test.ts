import { expect, test } from 'vitest'
import { sha256OfNode, toBase64url } from '../identity/index.ts'
import { formatSoul, groupOf, keyFits, locate, parseSoul, soulPrefix } from './souls.ts'

const net = 'abcdefghijklmnop'
const pub = toBase64url(new Uint8Array(32).fill(7))
const infoHash = 'ab'.repeat(20)
const hh = sha256OfNode(pub)[0]?.toString(16).padStart(2, '0') ?? ''

test.each([
  ['m', infoHash, `en1/${net}/m/${pub}/ab`, infoHash],
  ['h', '0f', `en1/${net}/h/${pub}/0f`, 'h'],
  ['hb', 'ignored', `en1/${net}/hb/${pub}`, 'hb'],
  ['p', pub, `en1/${net}/p/${hh}`, pub],
  ['o', '12', `en1/${net}/o`, '12'],
] as const)('%s values lie where the protocol says', (kind, name, soul, key) => {
  expect(locate(net, kind, pub, name)).toEqual({ soul, key })
  const place = parseSoul(soul)
  expect(place && formatSoul(place)).toBe(soul)
  expect(place && keyFits(place, key)).toBe(true)
  expect(soul.startsWith(soulPrefix(net, kind))).toBe(true)
  expect(soul.startsWith(soulPrefix(net, kind, pub))).toBe(true)
  expect(place && groupOf(place)).toBe(kind === 'p' || kind === 'o' ? 'owner' : pub)
})

test.each([
  '',
  'en1',
  'constructor',
  '__proto__',
  `en2/${net}/o`,
  `en1/${net}`,
  `en1/${net}/constructor`,
  `en1/${net}/__proto__/${pub}`,
  `en1/${net}/x/m/${pub}/ab`,
  `en1/${net}/m/${pub}`,
  `en1/${net}/m/${pub}/AB`,
  `en1/${net}/m/${pub}/ab/`,
  `en1/${net}/m/${pub}/ab/cd`,
  `en1/${net}/m/${pub.slice(1)}/ab`,
  `en1/${net}/m/${pub.slice(0, 42)}B/ab`,
  `en1/${net}/hb/${pub}/ab`,
  `en1/${net}/o/1`,
  `en1/short/o`,
  ` en1/${net}/o`,
])('%j is no soul', (soul) => {
  expect(parseSoul(soul)).toBeUndefined()
})

test.each([
  ['m', 'ab'],
  ['m', infoHash.toUpperCase()],
  ['m', `${infoHash}0`],
  ['h', 'abc'],
  ['h', 'zz'],
  ['p', 'ab'],
  ['p', 'constructor'],
  ['o', '0'],
  ['o', '01'],
  ['o', '-1'],
  ['o', '9999999'],
] as const)('%s has no place for %j', (kind, name) => {
  expect(locate(net, kind, pub, name)).toBeUndefined()
})

test('a key lies in its own bucket only', () => {
  const place = parseSoul(`en1/${net}/m/${pub}/ac`)
  expect(place && keyFits(place, infoHash)).toBe(false)
  const wrong = parseSoul(`en1/${net}/p/${hh === '00' ? '01' : '00'}`)
  expect(wrong && keyFits(wrong, pub)).toBe(false)
})
