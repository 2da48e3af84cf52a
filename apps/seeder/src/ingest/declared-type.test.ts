import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agreedType } from './declared-type.ts'
import { TypeMismatchError } from './errors.ts'
import { incoming, openStore, type Store } from './fixtures/store.ts'

test.each([
  ['image/png', 'image/png', 'image/png'],
  ['audio/mpeg', 'audio/mp3', 'audio/mpeg'],
  ['image/jpeg', 'image/jpg', 'image/jpeg'],
  ['video/mp4', 'audio/mp4', 'audio/mp4'],
  ['audio/x-m4a', 'audio/mp4', 'audio/x-m4a'],
  ['video/matroska', 'audio/webm', 'audio/webm'],
  ['application/xml', 'image/svg+xml', 'image/svg+xml'],
  ['application/zip', 'application/vnd.comicbook+zip', 'application/vnd.comicbook+zip'],
  ['text/plain', 'text/vtt', 'text/vtt'],
  ['application/octet-stream', 'application/vnd.my.format', 'application/vnd.my.format'],
  ['application/octet-stream', 'audio/mpeg', 'audio/mpeg'],
])('bytes of %s declared as %s are %s', (sniffed, declared, agreed) => {
  expect(agreedType(sniffed, declared, 'a')).toBe(agreed)
})

test.each([
  ['image/gif', 'text/html'],
  ['image/jpeg', 'image/svg+xml'],
  ['image/png', 'image/jpeg'],
  ['application/pdf', 'text/javascript'],
  ['application/zip', 'text/html'],
  ['video/mp4', 'video/webm'],
  ['application/octet-stream', 'image/png'],
  ['text/html', 'image/png'],
])('bytes of %s are not %s', (sniffed, declared) => {
  expect(() => agreedType(sniffed, declared, 'a')).toThrow(TypeMismatchError)
})

let store: Store
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

const gifar = Buffer.concat([Buffer.from('GIF89a'), Buffer.from('<script>alert(1)</script>'), randomBytes(100)])

test('an upload keeps the type that its bytes and its publisher agree on', async () => {
  const { files, staging } = await store.ingest.receive(
    incoming([{ path: 'a.json', bytes: Buffer.from('{"a": 1}') }]),
    { declaredType: 'application/ld+json' },
  )
  expect(files[0]?.type).toBe('application/ld+json')
  await staging.discard()
})

test('a picture that is a page as well is refused as a page, and leaves nothing behind', async () => {
  const upload = store.ingest.receive(incoming([{ path: 'a.html', bytes: gifar }]), { declaredType: 'text/html' })
  await expect(upload).rejects.toThrow(TypeMismatchError)
  expect(await store.incoming()).toEqual([])
  const undeclared = await store.ingest.receive(incoming([{ path: 'a.html', bytes: gifar }]), {})
  expect(undeclared.files[0]?.type).toBe('image/gif')
  await undeclared.staging.discard()
})

test('one that is small enough to be kept in memory is looked at all the same', async () => {
  const options = { declaredType: 'text/html', expectedSize: gifar.length }
  const upload = store.ingest.receive(incoming([{ path: 'a.html', bytes: gifar }]), options)
  await expect(upload).rejects.toThrow(TypeMismatchError)
})

test('several files have no one type', async () => {
  const two = ['a', 'b'].map((path) => ({ path, bytes: randomBytes(10) }))
  const upload = store.ingest.receive(incoming(two), { declaredType: 'text/plain' })
  await expect(upload).rejects.toThrow(/one file only/)
})
