import { afterAll, expect, test } from 'vitest'
import { Egress } from '../egress/index.ts'
import { peersOf, readMagnet, trackersOf, webSeedsOf } from './magnet.ts'

const hash = '0123456789abcdef0123456789abcdef01234567'
const open = new Egress({ allowPrivate: true, allowedOrigins: [] })
const guarded = new Egress({ allowPrivate: false, allowedOrigins: [] })
afterAll(async () => {
  await open.close()
  await guarded.close()
})

test.each([
  [`magnet:?xt=urn:btih:${hash}`],
  [`MAGNET:?xt=URN:BTIH:${hash.toUpperCase()}&dn=x`],
  ['magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH'],
  [`magnet:?xt=urn:btmh:1220${'a'.repeat(64)}&xt.1=urn:btih:${hash}`],
  [`magnet:?dn=a&xt=urn%3Abtih%3A${hash}`],
])('%s names an infohash', (magnet) => {
  expect(readMagnet(magnet).infoHash).toBe(hash)
})

test.each([
  '',
  'magnet:',
  'magnet:?dn=x',
  'http://a.example/?xt=urn:btih:0123456789abcdef0123456789abcdef01234567',
  `magnet:?xt=urn:btih:${hash}0`,
  `magnet:?xt=urn:btih:${hash.slice(1)}g`,
  'magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRL1',
  `magnet:?xt=urn:sha1:${hash}`,
  `magnet:?xt=urn:btih:${hash}&dn=${'x'.repeat(17_000)}`,
])('%s is refused', (magnet) => {
  expect(() => readMagnet(magnet)).toThrow(expect.objectContaining({ code: 'import_refused' }))
})

const named = (fields: string) => readMagnet(`magnet:?xt=urn:btih:${hash}&${fields}`)

test('peers are addresses that may be dialled', async () => {
  const peers = ['8.8.8.8:6881', '[2606:4700::1111]:1', '127.0.0.1:80', '10.0.0.1:80', '[::1]:80', '[::ffff:7f00:1]:80']
  const bad = [
    '8.8.8.8',
    '8.8.8.8:0',
    '8.8.8.8:65536',
    ':80',
    'a b:80',
    'http://8.8.8.8:80',
    '8.8.8.8:80:80',
    '2130706433:80',
  ]
  const magnet = named([...peers, ...bad].map((peer) => `x.pe=${encodeURIComponent(peer)}`).join('&'))
  expect(await peersOf(magnet, guarded)).toEqual(['8.8.8.8:6881', '[2606:4700::1111]:1'])
  expect(await peersOf(named('x.pe=localhost:80'), guarded)).toEqual([])
  expect(await peersOf(named('x.pe=localhost:80'), open)).toContain('127.0.0.1:80')
})

test('web seeds and trackers are URLs that may be asked', () => {
  const urls = [
    'http://8.8.8.8/',
    'https://a.example/x',
    'http://127.0.0.1/',
    'http://localhost/',
    'http://u:p@a.example/',
    'file:///etc',
    'x',
  ]
  const magnet = named(urls.flatMap((url) => ['ws', 'tr'].map((key) => `${key}=${encodeURIComponent(url)}`)).join('&'))
  expect(webSeedsOf(magnet, guarded)).toEqual(['http://8.8.8.8/', 'https://a.example/x'])
  expect(trackersOf(magnet, guarded)).toEqual(['http://8.8.8.8/', 'https://a.example/x'])
  expect(trackersOf(named('tr=udp://8.8.8.8:1&tr=wss://a.example&tr=gopher://a.example'), guarded)).toEqual([
    'udp://8.8.8.8:1',
    'wss://a.example',
  ])
})

test('of many sources some are enough', async () => {
  const many = Array.from(
    { length: 100 },
    (_, n) => `ws=http://a.example/${n}&tr=http://a.example/${n}&x.pe=8.8.8.8:${n + 1}`,
  )
  const magnet = named(many.join('&'))
  expect(webSeedsOf(magnet, guarded)).toHaveLength(20)
  expect(trackersOf(magnet, guarded)).toHaveLength(20)
  expect(await peersOf(magnet, guarded)).toHaveLength(20)
})
