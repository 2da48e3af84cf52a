import { expect, test } from 'vitest'
import { parseItemOptions, uploadOf } from './item-options.ts'

const reader = `age1${'q'.repeat(58)}`
const publisher = { owner: 'alice', replicas: { min: 2, target: 3 }, now: 1_000 }
const upload = (fields: Record<string, unknown>) => uploadOf(parseItemOptions(fields, 'form'), publisher)

test('of nothing said: a public item with the usual copies', () => {
  expect(upload({})).toEqual({ owner: 'alice', access: 'public', about: {}, replicas: { min: 2, target: 3 } })
})

test('fields of a form say all that JSON says', () => {
  const digest = 'AB'.repeat(32)
  const tracks = [{ path: 'a/1.flac', title: 'One', durationMs: 1000 }, { path: 'a/2.flac' }]
  const said = {
    name: 'Album',
    access: 'unlisted',
    title: 'T',
    artist: 'A',
    type: 'audio/flac',
    replaces: 'a'.repeat(40),
  }
  const fields = {
    ...said,
    replicas: '1',
    tags: 'jazz, live,,jazz',
    expiresAt: '1970-01-01T00:00:02Z',
    encrypt: 'true',
    readers: [reader],
    sha256: digest,
    tracks: JSON.stringify(tracks),
  }
  const json = { ...fields, replicas: 1, tags: ['jazz', 'live'], expiresAt: 2000, encrypt: true, tracks }
  expect(upload(fields)).toEqual(upload(json))
  expect(upload(fields)).toEqual({
    name: 'Album',
    owner: 'alice',
    access: 'unlisted',
    about: {
      tags: ['jazz', 'live'],
      expiresAt: 2000,
      replaces: 'a'.repeat(40),
      media: { title: 'T', artist: 'A', tracks },
    },
    replicas: { min: 1, target: 1 },
    encrypt: { readers: [reader] },
    declaredType: 'audio/flac',
    sha256: digest.toLowerCase(),
  })
})

test('tags come repeated too, and expiresAt as milliseconds', () => {
  expect(upload({ tags: ['a', 'b,c'], expiresAt: '1001' }).about).toEqual({ tags: ['a', 'b', 'c'], expiresAt: 1001 })
})

test('a private item is encrypted without asking, and never in the clear', () => {
  expect(upload({ access: 'private' }).encrypt).toEqual({ readers: [] })
  expect(() => upload({ access: 'private', encrypt: 'false' })).toThrow(
    expect.objectContaining({ code: 'encryption_required' }),
  )
})

test.each<Record<string, unknown>>([
  { encryptt: 'true' },
  { name: '../x' },
  { name: ['a', 'b'] },
  { replicas: '0' },
  { replicas: '1e1' },
  { replicas: 65 },
  { replicas: true },
  { access: 'secret' },
  { tags: 'x'.repeat(65) },
  { tags: Array.from({ length: 33 }, (_, n) => `${n}`) },
  { tags: 'a\u0000b' },
  { expiresAt: 'tomorrow' },
  { expiresAt: '1000' },
  { expiresAt: '-5' },
  { encrypt: 'yes' },
  { readers: reader },
  { readers: 'age1nonsense', encrypt: 'true' },
  { title: 'x'.repeat(201) },
  { tracks: '[{"path":"../x"}]' },
  { tracks: '[' },
  { type: 'Text/HTML; charset=x' },
  { sha256: 'abc' },
  { replaces: 'abc' },
])('refuses %j', (fields) => {
  expect(() => upload(fields)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})
