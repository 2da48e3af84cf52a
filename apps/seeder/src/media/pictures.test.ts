import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ToolFailedError } from './errors.ts'
import { shrink } from './pictures.ts'

const wanted = { edge: 480, bytes: 50_000 }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-pictures-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function at(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c0392b' } })

/** A PNG of one bit a pixel, all of them black. */
function blackPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 1
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))), { level: 9 })
  const magic = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([magic, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

test('a large picture becomes a small one, and says how large it was', async () => {
  const { width, height, format, bytes } = await shrink(
    await at('a.png', await plain(3000, 2000).png().toBuffer()),
    wanted,
  )
  expect({ width, height, format }).toEqual({ width: 3000, height: 2000, format: 'png' })
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 480, height: 320 })
})

test('a small one is not made larger; bytes are taken as well as paths', async () => {
  const { bytes } = await shrink(await plain(20, 10).jpeg().toBuffer(), wanted)
  expect(await sharp(bytes).metadata()).toMatchObject({ width: 20, height: 10 })
})

test('it is upright, and tells nothing of where and by what it was taken', async () => {
  const exif = { IFD0: { Model: 'Secret Camera 1' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }
  const turned = await plain(400, 200).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const marked = await sharp(turned).keepMetadata().withExifMerge(exif).jpeg().toBuffer()
  expect(marked.includes('Secret Camera')).toBe(true)
  const { width, height, bytes } = await shrink(marked, wanted)
  expect({ width, height }).toEqual({ width: 200, height: 400 })
  expect(await sharp(bytes).metadata()).toMatchObject({ width: 200, height: 400 })
  expect((await sharp(bytes).metadata()).exif).toBeUndefined()
  expect(bytes.includes('Secret Camera')).toBe(false)
})

test('noise, which nothing makes small, keeps to the size all the same', async () => {
  const noise = await sharp(randomBytes(1500 * 1500 * 3), { raw: { width: 1500, height: 1500, channels: 3 } })
    .png()
    .toBuffer()
  const { bytes } = await shrink(noise, { edge: 600, bytes: 50_000 })
  expect(bytes.length).toBeLessThanOrEqual(50_000)
})

test('a bomb is refused by what its head says, before anything of it is decoded', async () => {
  const bomb = blackPng(30_000, 30_000)
  expect(bomb.length).toBeLessThan(1_000_000)
  const started = performance.now()
  await expect(shrink(await at('bomb.png', bomb), wanted)).rejects.toThrow(/pixel limit/)
  expect(performance.now() - started).toBeLessThan(15_000)
})

test('of many pictures in one file the first is shown', async () => {
  const frames = await Promise.all(
    ['red', 'blue', 'lime'].map((background) =>
      sharp({ create: { width: 64, height: 64, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer()
  const { width, height, bytes } = await shrink(gif, wanted)
  expect({ width, height }).toEqual({ width: 64, height: 64 })
  expect((await sharp(bytes).stats()).dominant).toMatchObject({ r: 248, g: 8, b: 8 })
})

test('a picture that is something else as well leaves that behind', async () => {
  const page = Buffer.from('<html><script>alert(1)</script></html>')
  const polyglot = Buffer.concat([await plain(100, 100).jpeg().toBuffer(), page])
  const { bytes } = await shrink(polyglot, wanted)
  expect(bytes.includes('<script>')).toBe(false)
})

test('SVG is not drawn: its scripts and addresses lead nowhere', async () => {
  let asked = 0
  const server = createServer((_, response) => void (asked++, response.end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>x()</script>
    <image href="http://127.0.0.1:${port}/" width="9" height="9"/><image href="file:///etc/passwd"/></svg>`
  for (const source of [Buffer.from(svg), await at('a.png', Buffer.from(svg))]) {
    await expect(shrink(source, wanted)).rejects.toThrow(ToolFailedError)
  }
  server.close()
  expect(asked).toBe(0)
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['noise', randomBytes(10_000)],
  ['a head without a body', blackPng(100, 100).subarray(0, 40)],
  ['text that names a file', Buffer.from('/etc/passwd')],
])('%s is no picture', async (_, bytes) => {
  await expect(shrink(bytes, wanted)).rejects.toThrow(ToolFailedError)
})
