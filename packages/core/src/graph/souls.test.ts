import { expect, test } from 'vitest'
import { sha256OfNode, toBase64url } from '../identity/index.ts'
import { formatSoul, groupOf, hiddenPrefix, keyFits, locate, parseSoul, readGroup, soulPrefix } from './souls.ts'

const net = 'abcdefghijklmnop'
const pub = toBase64url(new Uint8Array(32).fill(7))
const infoHash = 'ab'.repeat(20)
const hh = sha256OfNode(pub)[0]?.toString(16).padStart(2, '0') ?? ''

const holder = toBase64url(new Uint8Array(32).fill(8))
const audited = `${holder}.0f`
const grant = `${infoHash}.${'0f'.repeat(16)}`

test.each([
  ['m', infoHash, false, `en1/${net}/m/${pub}/ab`, infoHash],
  ['m', infoHash, true, `en1/${net}/x/m/${pub}/ab`, infoHash],
  ['h', '0f', false, `en1/${net}/h/${pub}/0f`, 'h'],
  ['h', '0f', true, `en1/${net}/x/h/${pub}/0f`, 'h'],
  ['a', audited, false, `en1/${net}/a/${pub}`, audited],
  ['hb', 'ignored', false, `en1/${net}/hb/${pub}`, 'hb'],
  ['g', grant, false, `en1/${net}/g/${pub}/ab`, grant],
  ['g', grant, true, `en1/${net}/x/g/${pub}/ab`, grant],
  ['p', pub, false, `en1/${net}/p/${hh}`, pub],
  ['d', infoHash, false, `en1/${net}/d/ab`, infoHash],
  ['d', infoHash, true, `en1/${net}/x/d/ab`, infoHash],
  ['o', '12', false, `en1/${net}/o`, '12'],
] as const)('%s values of %s lie where the protocol says (hidden: %s)', (kind, name, hidden, soul, key) => {
  expect(locate(net, kind, pub, name, hidden)).toEqual({ soul, key })
  const place = parseSoul(soul)
  expect(place?.hidden).toBe(hidden)
  expect(place && formatSoul(place)).toBe(soul)
  expect(place && keyFits(place, key)).toBe(true)
  expect(soul.startsWith(soulPrefix(net, kind, hidden))).toBe(true)
  expect(soul.startsWith(soulPrefix(net, kind, hidden, pub))).toBe(true)
  expect(soul.startsWith(soulPrefix(net, kind, !hidden))).toBe(false)
  expect(soul.startsWith(hiddenPrefix(net))).toBe(hidden)
  const group = kind === 'p' || kind === 'o' || kind === 'd' ? 'owner' : pub
  expect(place && groupOf(place)).toBe(hidden ? `x/${group}` : group)
  expect(place && readGroup(groupOf(place))).toEqual({ name: group, hidden })
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
  `en1/${net}/x`,
  `en1/${net}/x/x/m/${pub}/ab`,
  `en1/${net}/x/hb/${pub}`,
  `en1/${net}/x/p/${hh}`,
  `en1/${net}/x/o`,
  `en1/${net}/x/m/${pub}/ab/cd`,
  `en1/${net}/x/m/${pub}`,
  `en1/${net}/X/m/${pub}/ab`,
  `en1/${net}/g/${pub}`,
  `en1/${net}/d/${pub}/ab`,
  `en1/${net}/m/${pub}`,
  `en1/${net}/m/${pub}/AB`,
  `en1/${net}/m/${pub}/ab/`,
  `en1/${net}/m/${pub}/ab/cd`,
  `en1/${net}/m/${pub.slice(1)}/ab`,
  `en1/${net}/m/${pub.slice(0, 42)}B/ab`,
  `en1/${net}/hb/${pub}/ab`,
  `en1/${net}/a`,
  `en1/${net}/a/${pub}/ab`,
  `en1/${net}/x/a/${pub}`,
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
  ['g', infoHash],
  ['g', `${infoHash}.`],
  ['g', `${infoHash}.${'0F'.repeat(16)}`],
  ['g', `${infoHash}.${'0f'.repeat(17)}`],
  ['d', 'ab'],
  ['d', infoHash.toUpperCase()],
  ['a', holder],
  ['a', `${holder}.`],
  ['a', `${holder}.AB`],
  ['a', `${holder}.0f.0f`],
  ['a', `${pub}.0f`],
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
