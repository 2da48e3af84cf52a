import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

let node: TestNode
let infoHash: string
let magnet: string
beforeAll(async () => {
  node = await startTestNode()
  const form = new FormData()
  form.append('name', 'album')
  form.append('file', new Blob(['words']), 'notes.txt')
  form.append('file', new Blob(['fLaC, and music']), 'song.flac')
  const response = await node.ask('/v1/media', { method: 'POST', body: form })
  ;({ infoHash, magnet } = (await response.json()) as { infoHash: string; magnet: string })
})
afterAll(() => node.stop())

const base32 = (hex: string): string =>
  [...BigInt(`0x${hex}`).toString(2).padStart(160, '0').matchAll(/.{5}/g)]
    .map(([five]) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)])
    .join('')

test('the first media file comes for a magnet or an infohash, encoded or not, with CORS', async () => {
  const forms = [
    infoHash,
    infoHash.toUpperCase(),
    encodeURIComponent(magnet),
    magnet,
    `magnet:?xt=urn:btih:${base32(infoHash)}`,
  ]
  for (const form of forms) {
    const answer = await node.raw(
      `GET /torrent/${form} HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nConnection: close\r\n\r\n`,
    )
    expect(answer, form).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toMatch(/\r\naccess-control-allow-origin: \*\r\n/i)
    expect(answer).toMatch(/music$/)
  }
  const part = await fetch(`${node.url}/torrent/${infoHash}`, { headers: { range: 'bytes=0-3' } })
  expect([part.status, await part.text()]).toEqual([206, 'fLaC'])
})

test.each(['nothing', 'magnet:?xt=urn:btih:zz', '%ff', `${'a'.repeat(41)}`, 'magnet:?xt=urn:btmh:1220aa'])(
  'refuses %s',
  async (text) => {
    expect(await node.raw(`GET /torrent/${text} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    )
  },
)

test('an item that nobody has is not found', async () => {
  expect((await fetch(`${node.url}/torrent/${'0'.repeat(40)}`)).status).toBe(404)
})

test('of an encrypted item its owner gets the media as it was, and strangers the stored file', async () => {
  const form = new FormData()
  for (const [key, value] of Object.entries({ name: 'secret album', encrypt: 'true' })) form.append(key, value)
  form.append('file', new Blob(['words']), 'notes.txt')
  form.append('file', new Blob(['fLaC, and more music']), 'song.flac')
  const response = await node.ask('/v1/media', { method: 'POST', body: form })
  const { infoHash: secret } = (await response.json()) as { infoHash: string }
  const owned = await node.ask(`/torrent/${secret}`)
  expect([owned.headers.get('content-type'), await owned.text()]).toEqual(['audio/flac', 'fLaC, and more music'])
  expect(await (await fetch(`${node.url}/torrent/${secret}`)).text()).toMatch(/^age-encryption\.org/)
})
