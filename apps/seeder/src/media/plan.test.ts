import { expect, test } from 'vitest'
import { isDescribable, planOf } from './plan.ts'

const file = (path: string, type: string) => ({ path, type, size: 1, sha256: '0'.repeat(64) })
const picture = (path: string) => file(path, 'image/jpeg')
const song = (path: string) => file(path, 'audio/flac')
const item = { access: 'public', about: {} } as const

test('a picture by itself is the item; among others the cover stands for all, else the first', () => {
  expect(planOf({ files: [picture('a.jpg')] })).toMatchObject({ alone: true, picture: { path: 'a.jpg' } })
  const album = [song('1.flac'), picture('back.jpg'), picture('scans/Cover.jpg')]
  expect(planOf({ files: album })).toMatchObject({ alone: false, picture: { path: 'scans/Cover.jpg' } })
  expect(planOf({ files: album.slice(0, 2) }).picture?.path).toBe('back.jpg')
  expect(planOf({ files: [song('1.flac')] }).picture).toBeUndefined()
})

test('of thousands of recordings a hundred are looked at', () => {
  const files = Array.from({ length: 5000 }, (_, n) => song(`${n}.flac`))
  expect(planOf({ files }).recordings).toEqual(files.slice(0, 100))
})

test.each([
  'text/plain',
  'application/octet-stream',
  'image/svg+xml',
  'application/vnd.apple.mpegurl',
  'audiovisual/x',
  'application/xml',
])('%s has nothing to say', (type) => {
  expect(isDescribable({ ...item, files: [file('a', type)] })).toBe(false)
})

test('the plaintext says what an encrypted item is, and a preview is left alone', () => {
  const files = [picture('a.jpg')]
  expect(isDescribable({ ...item, files })).toBe(true)
  const encryption = { format: 'age', recipient: `age1${'q'.repeat(58)}` } as const
  const sealed = { ...item, files: [file('a.age', 'application/vnd.age')], about: { encryption } }
  expect(isDescribable(sealed)).toBe(true)
  expect(isDescribable(sealed, { files })).toBe(true)
  expect(isDescribable(sealed, { files: [file('a.txt', 'text/plain')] })).toBe(false)
  expect(isDescribable({ ...item, files, about: { previewOf: '0'.repeat(40) } })).toBe(false)
})
