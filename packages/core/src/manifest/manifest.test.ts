import canonicalize from 'canonicalize'
import { describe, expect, test } from 'vitest'
import { ENVELOPE_LIMITS, seal } from '../envelope/index.ts'
import { networkIdOf, sha256Hex, WebIdentity } from '../identity/index.ts'
import {
  contentSha256,
  filesDigestOf,
  fitManifest,
  magnetOf,
  manifestSchema,
  mediaTypeSchema,
  nameSchema,
  mostBytesOf,
  pieceLengthOf,
  retractManifest,
} from './index.ts'
import type { ItemFile, WholeManifest } from './index.ts'

const file = (n: number, path = `folder/${n}.jpg`): ItemFile => ({
  path,
  size: n,
  sha256: n.toString(16).padStart(64, '0'),
  type: 'image/jpeg',
})
const files = (count: number): ItemFile[] => Array.from({ length: count }, (_, i) => file(i))
const whole = (change: Partial<WholeManifest> = {}): WholeManifest => ({
  infoHash: '0123456789abcdef0123456789abcdef01234567',
  name: 'näme',
  size: 1000,
  pieceLength: 16_384,
  files: files(3),
  trackers: ['http://tracker.example:8000/announce'],
  replicas: { min: 2, target: 3 },
  access: 'public',
  createdAt: 1_800_000_000_000,
  state: 'live',
  ...change,
})

async function sealedBytes(body: object): Promise<number> {
  const identity = await WebIdentity.generate()
  const letter = { kind: 'm', network: networkIdOf(identity.id), ts: Number.MAX_SAFE_INTEGER } as const
  return new TextEncoder().encode(await seal({ ...letter, body }, identity)).length
}

test.each([
  [1, 2 ** 14],
  [2 ** 22, 2 ** 14],
  [2 ** 22 + 1, 2 ** 15],
  [200_000_000, 2 ** 20],
  [2 ** 27, 2 ** 19],
  [2 ** 27 + 1, 2 ** 20],
  [2 ** 31, 2 ** 20],
  [2 ** 31 + 1, 2 ** 21],
  [2 ** 35, 2 ** 24],
  [2 ** 40, 2 ** 24],
])('an item of %i bytes has pieces of %i', (size, length) => {
  expect(pieceLengthOf(size)).toBe(length)
  expect(mostBytesOf(length)).toBeGreaterThanOrEqual(size)
  expect(size / length).toBeLessThanOrEqual(size > 2 ** 35 ? Infinity : 2_048)
})

describe('digests', () => {
  test('one file stands for itself, several for their canonical list', () => {
    expect(contentSha256([file(7)])).toBe(file(7).sha256)
    const list = [file(1, 'é/1'), file(2, '\u2028"\\')]
    const canonical = canonicalize(list.map(({ path, size, sha256 }) => [path, size, sha256]))
    expect(contentSha256(list)).toBe(sha256Hex(new TextEncoder().encode(canonical)))
    expect(contentSha256(list.toReversed())).not.toBe(contentSha256(list))
  })

  test('the digest of all files is that of their canonical JSON, foreign members left out', () => {
    const list = [{ extra: 1, ...file(1, 'é/\u2028') }, file(2)]
    const canonical = canonicalize([file(1, 'é/\u2028'), file(2)])
    expect(filesDigestOf(list)).toBe(sha256Hex(new TextEncoder().encode(canonical)))
  })
})

describe('fitManifest', () => {
  test('few files are all there', () => {
    expect(fitManifest(whole())).toEqual(whole())
    expect(manifestSchema.parse(fitManifest(whole()))).toEqual(whole())
  })

  test.each([
    { what: 'short names', list: files(5000) },
    {
      what: 'names of four-byte characters',
      list: files(60).map((f) => ({ ...f, path: `${'😀'.repeat(40)}${f.path}` })),
    },
  ])('of many, as many as fit; the digest vouches for all: $what', async ({ list }) => {
    const fitted = fitManifest(whole({ files: list }))
    expect(fitted.filesDigest).toBe(filesDigestOf(list))
    expect(fitted.files).toEqual(list.slice(0, fitted.files.length))
    expect(manifestSchema.parse(fitted)).toEqual(fitted)
    const oneMore = { ...fitted, files: list.slice(0, fitted.files.length + 1) }
    expect(await sealedBytes(fitted)).toBeLessThanOrEqual(ENVELOPE_LIMITS.m)
    await expect(sealedBytes(oneMore)).rejects.toThrow(/8192/)
  })

  test('no more files than the schema takes', () => {
    const tiny = Array.from({ length: 300 }, (_, i) => ({ ...file(i, `${i}`), type: 'a/b' }))
    expect(manifestSchema.safeParse(fitManifest(whole({ files: tiny }))).success).toBe(true)
  })

  test('an album with too many tracks for one manifest names the first of them', async () => {
    const tracks = Array.from({ length: 100 }, (_, i) => ({ path: `${'ü'.repeat(60)}/${i}.flac`, title: `Track ${i}` }))
    const album = whole({ files: files(100), media: { title: 'A', tracks } })
    const fitted = fitManifest(album)
    const kept = fitted.media?.tracks ?? []
    expect(kept.length).toBeGreaterThan(30)
    expect(kept).toEqual(tracks.slice(0, kept.length))
    expect(fitted).toMatchObject({ filesDigest: filesDigestOf(album.files), media: { title: 'A' } })
    expect(await sealedBytes(fitted)).toBeLessThanOrEqual(ENVELOPE_LIMITS.m)
    const retracted = retractManifest(fitted, { purgeAfter: 1, reason: '😀'.repeat(100) })
    expect(await sealedBytes(retracted)).toBeLessThanOrEqual(ENVELOPE_LIMITS.m)
    expect(manifestSchema.parse(retracted)).toEqual(retracted)
    const short = whole({ media: { tracks: tracks.slice(0, 3) } })
    expect(fitManifest(short)).toEqual(short)
  })

  test('a retraction always fits, its files giving way to the reason', async () => {
    const live = fitManifest(whole({ files: files(5000) }))
    const change = { purgeAfter: Number.MAX_SAFE_INTEGER, reason: '😀'.repeat(100) }
    const retracted = retractManifest(live, change)
    expect(retracted).toMatchObject({ ...change, state: 'retracted', files: [], filesDigest: live.filesDigest })
    expect(await sealedBytes(retracted)).toBeLessThan(ENVELOPE_LIMITS.m)
    expect(retractManifest(whole(), change).files).toEqual(whole().files)
  })
})

describe('magnetOf', () => {
  const item = { infoHash: whole().infoHash, name: 'A & B=ü/😀 +1%.mp4', size: 42 }

  test('what went in is what a URL parser reads', () => {
    const magnet = magnetOf(item, {
      trackers: ['http://t.example:8000/announce?a=1&b=2', 'wss://t.example'],
      webSeeds: [`http://n.example:8765/v1/media/${item.infoHash}/ws/`],
      peer: '[::1]:6881',
    })
    expect(magnet.startsWith(`magnet:?xt=urn:btih:${item.infoHash}&dn=`)).toBe(true)
    const read = new URL(magnet).searchParams
    expect(read.get('dn')).toBe(item.name)
    expect(read.get('xl')).toBe('42')
    expect(read.getAll('tr')).toEqual(['http://t.example:8000/announce?a=1&b=2', 'wss://t.example'])
    expect(read.getAll('ws')).toEqual([`http://n.example:8765/v1/media/${item.infoHash}/ws/`])
    expect(magnet.endsWith('&x.pe=[::1]:6881')).toBe(true)
  })

  test('is plain ASCII without spaces', () => {
    expect(magnetOf(item, { trackers: [], webSeeds: [] })).toMatch(/^[!-~]+$/)
  })
})

test.each(['image/SVG+xml', 'text/html; charset=utf-8', 'text/\u0101', 'a/b\r\nset-cookie: x', 'text', '/x', ''])(
  'a manifest may not call a file %j',
  (type) => {
    expect(mediaTypeSchema.safeParse('image/svg+xml').success).toBe(true)
    expect(mediaTypeSchema.safeParse(type).success).toBe(false)
  },
)

test.each(['a\nb', 'a\u0000', '\u007f', '\u0085', '..', 'a/b', '\ud800'])('%j is no name', (name) => {
  expect(nameSchema.safeParse('100% + #1 ✓').success).toBe(true)
  expect(nameSchema.safeParse(name).success).toBe(false)
})
