import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileHasher, HashingError } from './file-hasher.ts'

let folder: string
let hasher: FileHasher

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-hash-'))
  hasher = new FileHasher()
})

afterEach(async () => {
  await hasher.close()
  await rm(folder, { recursive: true })
})

test('hashes several files asked for at once, longer than its block and empty', async () => {
  const contents = [randomBytes(3_000_000), Buffer.alloc(0), randomBytes(1)]
  const paths = contents.map((_, i) => join(folder, String(i)))
  await Promise.all(contents.map((bytes, i) => writeFile(paths[i]!, bytes)))
  const hashed = await Promise.all(paths.map((path) => hasher.hash(path)))
  expect(hashed).toEqual(
    contents.map((bytes) => ({ sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length })),
  )
})

test('a file that is not there fails alone', async () => {
  const good = join(folder, 'good')
  await writeFile(good, 'x')
  await expect(hasher.hash(join(folder, 'missing'))).rejects.toThrow(HashingError)
  await expect(hasher.hash(good)).resolves.toMatchObject({ size: 1 })
})

test('after close nothing is hashed and nothing hangs', async () => {
  const big = join(folder, 'big')
  await writeFile(big, randomBytes(8_000_000))
  const running = hasher.hash(big)
  const ended = expect(running).rejects.toThrow(HashingError)
  await hasher.close()
  await ended
  await expect(hasher.hash(big)).rejects.toThrow(HashingError)
})
