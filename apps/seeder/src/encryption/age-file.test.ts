import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  chunkBytes,
  headBytes,
  newHeader,
  newItemIdentity,
  payloadKeyOf,
  SealBrokenError,
  tagBytes,
  WrongIdentityError,
} from '@eldernode/core'
import { Decrypter, Encrypter } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadCipher } from '../ingest/index.ts'
import { noise } from '../ingest/fixtures/store.ts'
import { AgeFile } from './age-file.ts'

const sealedChunk = chunkBytes + tagBytes
let folder: string
let made = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-age-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function stored(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${made++}.age`)
  await writeFile(path, bytes)
  return path
}

/** As the library of the age format makes it. */
async function sealed(plain: Uint8Array) {
  const item = await newItemIdentity()
  const encrypter = new Encrypter()
  encrypter.addRecipient(item.recipient)
  return { ...item, bytes: Buffer.from(await encrypter.encrypt(plain)) }
}

async function readAll(file: AgeFile): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of file.chunks()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function openAll(bytes: Uint8Array, identity: string): Promise<Buffer> {
  const file = await AgeFile.open(await stored(bytes), identity)
  try {
    return await readAll(file)
  } finally {
    await file.close()
  }
}

test.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 20 * chunkBytes + 5])(
  'reads %i bytes that the library encrypted',
  async (size) => {
    const plain = noise(size)
    const { bytes, identity } = await sealed(plain)
    const file = await AgeFile.open(await stored(bytes), identity)
    expect(file.size).toBe(size)
    expect((await readAll(file)).equals(plain)).toBe(true)
    await file.close()
  },
)

test.each([0, 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes])(
  'the library reads %i bytes that our cipher encrypted',
  async (size) => {
    const plain = noise(size)
    const { identity, recipient } = await newItemIdentity()
    const { header, fileKey } = await newHeader([recipient])
    const nonce = noise(16, 9)
    const key = payloadKeyOf(fileKey, nonce)
    const parts: Uint8Array[] = [header, nonce]
    for (let at = 0, n = 0; n === 0 || at < size; at += chunkBytes, n++)
      parts.push(payloadCipher.seal(key, n, at + chunkBytes >= size, plain.subarray(at, at + chunkBytes)))
    expect(header.length + nonce.length).toBe(headBytes)
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity)
    expect(Buffer.from(await decrypter.decrypt(Buffer.concat(parts))).equals(plain)).toBe(true)
  },
)

describe('a range', () => {
  const plain = noise(40 * chunkBytes + 123)

  test('is read from the chunks that it touches alone', async () => {
    const { bytes, identity } = await sealed(plain)
    const whole = await AgeFile.open(await stored(bytes), identity)
    for (const [position, length] of [
      [0, 1],
      [chunkBytes - 1, 2],
      [5 * chunkBytes, chunkBytes],
      [7 * chunkBytes + 3, 3 * chunkBytes],
      [plain.length - 10, 100],
      [plain.length, 10],
      [plain.length + 1e9, 10],
    ] as const) {
      const target = Buffer.alloc(length)
      const read = await whole.read(target, length, position)
      expect(target.subarray(0, read).equals(plain.subarray(position, position + length))).toBe(true)
    }
    await whole.close()
    // What it does not touch may be anything.
    bytes.fill(0, headBytes + 3 * sealedChunk, headBytes + 5 * sealedChunk)
    const broken = await AgeFile.open(await stored(bytes), identity)
    const target = Buffer.alloc(chunkBytes)
    expect(await broken.read(target, target.length, 5 * chunkBytes)).toBe(target.length)
    await expect(broken.read(target, target.length, 4 * chunkBytes)).rejects.toThrow(SealBrokenError)
    await broken.close()
  })

  test('gives at most 1 MiB at a time, however much is asked for', async () => {
    const { bytes, identity } = await sealed(plain)
    const file = await AgeFile.open(await stored(bytes), identity)
    const target = Buffer.alloc(plain.length)
    expect(await file.read(target, target.length, 0)).toBe(16 * chunkBytes)
    expect(await file.read(target, 10, 0)).toBe(10)
    await file.close()
  })
})

describe('is refused', () => {
  const plain = noise(3 * chunkBytes + 10)
  const cases: Record<string, (bytes: Buffer) => Uint8Array> = {
    'without its last chunk': (bytes) => bytes.subarray(0, headBytes + 3 * sealedChunk),
    'cut in a chunk': (bytes) => bytes.subarray(0, headBytes + 2 * sealedChunk + 1000),
    'cut in a tag': (bytes) => bytes.subarray(0, headBytes + 2 * sealedChunk + 8),
    'cut in its header': (bytes) => bytes.subarray(0, 100),
    'cut behind its header': (bytes) => bytes.subarray(0, 170),
    'with no byte': () => Buffer.alloc(0),
    'with two chunks exchanged': (bytes) =>
      Buffer.concat([
        bytes.subarray(0, headBytes),
        bytes.subarray(headBytes + sealedChunk, headBytes + 2 * sealedChunk),
        bytes.subarray(headBytes, headBytes + sealedChunk),
        bytes.subarray(headBytes + 2 * sealedChunk),
      ]),
    'with a chunk twice': (bytes) =>
      Buffer.concat([bytes.subarray(0, headBytes + sealedChunk), bytes.subarray(headBytes)]),
    'with a chunk left out': (bytes) =>
      Buffer.concat([bytes.subarray(0, headBytes), bytes.subarray(headBytes + sealedChunk)]),
    'with bytes added': (bytes) => Buffer.concat([bytes, noise(1000)]),
    'with a bit turned in a chunk': (bytes) => turned(bytes, headBytes + sealedChunk + 5),
    'with a bit turned in the last tag': (bytes) => turned(bytes, bytes.length - 1),
    'with a bit turned in the nonce': (bytes) => turned(bytes, headBytes - 1),
    'with a bit turned in the MAC of the header': (bytes) => turned(bytes, headBytes - 16 - 10),
    'with a header without end': (bytes) => Buffer.concat([bytes.subarray(0, 22), Buffer.alloc(100_000, '-> x\n')]),
    'that is no age file': () => noise(100_000),
  }
  test.each(Object.entries(cases))('%s', async (_, spoil) => {
    const { bytes, identity } = await sealed(plain)
    await expect(openAll(spoil(Buffer.from(bytes)), identity)).rejects.toThrow(SealBrokenError)
    expect((await openAll(bytes, identity)).equals(plain)).toBe(true)
  })

  test('with the identity of another item', async () => {
    const { bytes } = await sealed(plain)
    const { identity } = await newItemIdentity()
    await expect(openAll(bytes, identity)).rejects.toThrow(WrongIdentityError)
  })
})

function turned(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  return bytes
}
