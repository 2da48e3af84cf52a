import { expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import { limits } from './limits.ts'
import { rebuild } from './rebuild.ts'

const net = 'abcdefghijklmnop'
const pub = toBase64url(new Uint8Array(32).fill(7))
const soul = `en1/${net}/m/${pub}/ab`
const key = 'ab'.repeat(20)
const node = (extra: object = {}, states: object = {}) => ({
  _: { '#': soul, '>': { [key]: 5, ...states } },
  [key]: 'text',
  ...extra,
})

function run(message: unknown, hidden = false) {
  const refused: string[] = []
  const rebuilt = rebuild(message, { network: net, hidden }, (reason) => void refused.push(reason))
  return { rebuilt, refused }
}

test('a put becomes its values', () => {
  const { rebuilt, refused } = run({ '#': 'id1', put: { [soul]: node() }, '><': 'a,b', '@': 'x', evil: 1 })
  expect(rebuilt).toEqual({ type: 'put', id: 'id1', values: [{ soul, key, state: 5, value: 'text' }] })
  expect(refused).toEqual([])
})

test('a get keeps soul, key and a numeric hash, nothing else', () => {
  const { rebuilt } = run({ '#': 'id1', '##': -123, get: { '#': soul, '.': key, x: 1 }, '@': 'put', y: 2 })
  expect(rebuilt).toEqual({ type: 'get', message: { '#': 'id1', '##': -123, get: { '#': soul, '.': key } } })
})

// Together with an id such a hash would spell the name of an inherited property.
test('a hash that is text is left out', () => {
  expect(run({ '#': 'const', '##': 'ructor', get: { '#': soul } }).rebuilt).toEqual({
    type: 'get',
    message: { '#': 'const', get: { '#': soul } },
  })
})

test('what is not public exists for proven members only', () => {
  const hidden = soul.replace('/m/', '/x/m/')
  const put = { '#': 'a', put: { [hidden]: { _: { '#': hidden, '>': { [key]: 5 } }, [key]: 'text' } } }
  const get = { '#': 'a', get: { '#': hidden } }
  expect(run(put)).toEqual({ rebuilt: { type: 'nothing' }, refused: ['hidden'] })
  expect(run(get)).toEqual({ rebuilt: { type: 'nothing' }, refused: ['hidden'] })
  expect(run(put, true).rebuilt).toMatchObject({ type: 'put', values: [{ soul: hidden, key }] })
  expect(run(get, true).rebuilt).toMatchObject({ type: 'get', message: { get: { '#': hidden } } })
})

const user = `~${'A'.repeat(43)}.${'B'.repeat(43)}`
const inMaps = (name: string, values: Record<string, unknown>, states: Record<string, unknown> = {}) => {
  const given = Object.fromEntries(Object.keys(values).map((each) => [each, 1.5]))
  return { '#': 'a', put: { [name]: { _: { '#': name, '>': { ...given, ...states } }, ...values } } }
}
const compatRun = (message: unknown) => {
  const refused: string[] = []
  const reach = { network: net, hidden: false, compat: true }
  return { rebuilt: rebuild(message, reach, (reason) => void refused.push(reason)), refused }
}

test('values of public maps may be any data, where maps are kept', () => {
  const values = { text: 'a', number: 1.5, truth: true, nothing: null, link: { '#': `${user}/posts` } }
  expect(compatRun(inMaps('albums/1', values))).toEqual({
    refused: [],
    rebuilt: {
      type: 'put',
      id: 'a',
      values: [],
      compat: Object.entries(values).map(([name, value]) => ({
        soul: 'albums/1',
        key: name,
        state: 1.5,
        value: JSON.stringify(value),
      })),
    },
  })
  expect(run(inMaps('albums/1', values)).refused).toEqual(['soul'])
  expect(compatRun({ '#': 'a', get: { '#': user, '.': 'x' } }).rebuilt.type).toBe('get')
  expect(run({ '#': 'a', get: { '#': user } }).refused).toEqual(['get_soul'])
})

test('a message may carry both, and each keeps its own rules', () => {
  const both = { ...inMaps('tracks/1', { text: 'a' }).put, [soul]: node({ [key]: 5 }) }
  const { rebuilt, refused } = compatRun({ '#': 'a', put: both })
  expect(refused).toEqual(['value'])
  expect(rebuilt).toMatchObject({ values: [], compat: [{ soul: 'tracks/1' }] })
})

test.each([
  ['value', inMaps('albums/1', { a: ['list'] })],
  ['value', inMaps('albums/1', { a: { '#': 'constructor' } })],
  ['value', inMaps('albums/1', { a: { '#': soul } })],
  ['value', inMaps('albums/1', { a: { '#': 'albums/2', more: 1 } })],
  ['value', inMaps('albums/1', { a: {} })],
  ['state', inMaps('albums/1', { a: 1 }, { a: 0 })],
  ['state', inMaps('albums/1', { a: 1 }, { a: '1' })],
  ['state', inMaps('albums/1', { a: 1 }, { a: 2 ** 60 })],
  ['key', inMaps('albums/1', { constructor: 1 })],
  ['soul', inMaps('elsewhere/1', { a: 1 })],
  ['soul', inMaps('~@alice', { a: 1 })],
  ['hidden', inMaps(soul.replace('/m/', '/x/m/'), { a: 1 })],
])('refused by reason %s where maps are kept (%#)', (reason, message) => {
  expect(compatRun(message)).toEqual({ rebuilt: { type: 'nothing' }, refused: [reason] })
})

test('only the greeting passes of all dam messages', () => {
  expect(run({ '#': 'a', dam: '?', pid: 'p', '@': 'b', peers: { x: 1 } }).rebuilt).toEqual({
    type: 'dam',
    message: { '#': 'a', dam: '?', pid: 'p', '@': 'b' },
  })
  for (const dam of ['mob', 'constructor', '__proto__', 'toString', 'rtc', 'opt', 'service', 1, {}, null, true]) {
    expect(run({ '#': 'a', dam }), JSON.stringify(dam)).toEqual({ rebuilt: { type: 'nothing' }, refused: ['dam'] })
  }
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'a b', 'ä', 'x'.repeat(65), 5, {}, null])(
  '%j is no id',
  (id) => {
    expect(run({ '#': id, get: { '#': soul } }).refused).toEqual(['id'])
    expect(run({ '#': 'a', dam: '?', pid: id }).refused).toEqual(['id'])
  },
)

test.each([null, 5, 'text', [], [[]], true, undefined])('%j is no message', (message) => {
  expect(run(message).refused).toEqual(['shape'])
})

test.each([
  ['shape', { put: [] }],
  ['shape', { put: 'x' }],
  ['node', { put: { [soul]: null } }],
  ['node', { put: { [soul]: { [key]: 'text' } } }],
  ['node', { put: { [soul]: { _: { '#': 'other', '>': {} }, [key]: 'text' } } }],
  ['node', { put: { constructor: { _: 1 } } }],
  ['node', { put: JSON.parse('{"__proto__": {"_": {"#": "x", ">": {}}}}') as object }],
  ['soul', { put: { constructor: { _: { '#': 'constructor', '>': { a: 1 } }, a: 'x' } } }],
  ['soul', { put: JSON.parse('{"__proto__": {"_": {"#": "__proto__", ">": {"a": 1}}, "a": "x"}}') as object }],
  ['soul', { put: { [`en1/${'z'.repeat(16)}/o`]: { _: { '#': `en1/${'z'.repeat(16)}/o`, '>': {} } } } }],
  ['state', { put: { [soul]: node({}, { [key]: undefined }) } }],
  ['state', { put: { [soul]: node({}, { [key]: 'a' }) } }],
  ['state', { put: { [soul]: node({}, { [key]: 1.5 }) } }],
  ['state', { put: { [soul]: node({}, { [key]: -1 }) } }],
  ['state', { put: { [soul]: node({}, { [key]: 2 ** 60 }) } }],
  ['state', { put: { [soul]: { _: { '#': soul, '>': {} }, toString: 'x', hasOwn: 'x' } } }],
  ['value', { put: { [soul]: node({ [key]: null }) } }],
  ['value', { put: { [soul]: node({ [key]: 5 }) } }],
  ['value', { put: { [soul]: node({ [key]: true }) } }],
  ['value', { put: { [soul]: node({ [key]: { '#': soul } }) } }],
  ['get', { get: 'x' }],
  ['get', { get: {} }],
  ['get', { get: { '#': { '*': '' } } }],
  ['get_soul', { get: { '#': 'constructor' } }],
  ['get_soul', { get: { '#': '__proto__' } }],
  ['get_soul', { get: { '#': 'x'.repeat(201) } }],
  ['get_key', { get: { '#': soul, '.': { '*': '' } } }],
  ['get_key', { get: { '#': soul, '.': 'constructor' } }],
])('refused by reason %s (%#)', (reason, message) => {
  const { rebuilt, refused } = run({ '#': 'a', ...message })
  expect(rebuilt).toEqual({ type: 'nothing' })
  expect(refused).toContain(reason)
})

test.each(['constructor', 'toString', '__proto__', '', 'k'.repeat(201)])('%j is no key; its neighbours pass', (bad) => {
  const text = JSON.stringify({ '#': 'a', put: { [soul]: node({ BAD: 'x' }, { BAD: 5 }) } })
  const { rebuilt, refused } = run(JSON.parse(text.replaceAll('BAD', bad)))
  expect(rebuilt).toEqual({ type: 'put', id: 'a', values: [{ soul, key, state: 5, value: 'text' }] })
  expect(refused).toEqual(['key'])
})

test('caps on souls, keys and values', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`)
  const states = Object.fromEntries(many(limits.keys + 1).map((name) => [name, 5]))
  const values = Object.fromEntries(many(limits.keys + 1).map((name) => [name, 'x']))
  expect(run({ '#': 'a', put: { [soul]: { _: { '#': soul, '>': states }, ...values } } }).refused).toEqual(['keys'])
  const souls = Object.fromEntries(many(limits.souls + 1).map((name) => [name, {}]))
  expect(run({ '#': 'a', put: souls }).refused).toEqual(['souls'])
  const half = (bucket: string) => {
    const name = `en1/${net}/m/${pub}/${bucket}`
    const keys = many(limits.values - 10)
    const entries = <T>(value: T) => Object.fromEntries(keys.map((each) => [each, value]))
    return [name, { _: { '#': name, '>': entries(5) }, ...entries('x') }] as const
  }
  expect(run({ '#': 'a', put: Object.fromEntries([half('aa'), half('ab')]) }).refused).toEqual(['values'])
})

test('acknowledgements, "not found" and the greeting of stock clients are nothing', () => {
  for (const message of [{ '@': 'put', ok: 1 }, { '@': 'out' }, { '@': 'b', err: 'x' }, { dam: 'hi' }, { dam: '!' }]) {
    expect(run({ '#': 'a', ...message })).toEqual({ rebuilt: { type: 'nothing' }, refused: [] })
  }
})
