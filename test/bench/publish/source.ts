import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { seededBytes } from '../../harness/index.ts'

const block = 1024 ** 2

/** A file of random bytes that stays in the page cache. */
export async function makeSource(path: string, size: number): Promise<void> {
  function* blocks(): Generator<Uint8Array> {
    for (let n = 0; n < size / block; n++) yield seededBytes(n, block)
  }
  await pipeline(Readable.from(blocks()), createWriteStream(path))
}

/** Makes the source one that was never uploaded before. */
export async function renewSource(path: string, text: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.write(createHash('sha256').update(text).digest(), 0, 32, 0)
  await handle.close()
}
