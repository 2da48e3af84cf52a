import { randomBytes } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import type { IncomingFile } from './port.ts'
import { gather, smallBytes } from './small.ts'

async function* chunks(...list: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list
}

async function* files(...list: IncomingFile[]): AsyncGenerator<IncomingFile> {
  yield* list
}

const limits = { maxBytes: 1_000_000, signal: undefined }

async function readAll(given: AsyncIterable<IncomingFile>) {
  const read: [string, string][] = []
  for await (const { path, bytes } of given) {
    const parts: Uint8Array[] = []
    for await (const chunk of bytes) parts.push(chunk)
    read.push([path, Buffer.concat(parts).toString('hex')])
  }
  return read
}

test('gives the files of a small item', async () => {
  const [a, b] = [randomBytes(10), randomBytes(20)]
  expect(await gather(files({ path: 'a', bytes: chunks(a) }, { path: 'b', bytes: chunks(b, a) }), limits)).toEqual([
    { path: 'a', bytes: a },
    { path: 'b', bytes: Buffer.concat([b, a]) },
  ])
})

test('gives what is not small after all as if nothing had been read', async () => {
  const [a, b, c, d] = [10, 20, smallBytes, 5].map((size) => randomBytes(size))
  if (!a || !b || !c || !d) throw new Error('no bytes')
  const all = () =>
    files({ path: 'a', bytes: chunks(a) }, { path: 'b', bytes: chunks(b, c, d) }, { path: 'c', bytes: chunks(d) })
  const rest = await gather(all(), limits)
  if (Array.isArray(rest)) throw new Error('taken for small')
  expect(await readAll(rest)).toEqual(await readAll(all()))
})

test('refuses what ingest refuses, and reads no further', async () => {
  const ended = vi.fn<() => void>()
  async function* watched(path: string, ...bytes: Uint8Array[]): AsyncGenerator<IncomingFile> {
    try {
      yield { path, bytes: chunks(...bytes) }
      yield { path, bytes: chunks(...bytes) }
    } finally {
      ended()
    }
  }
  const one = Buffer.from('x')
  await expect(gather(watched('../x', one), limits)).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(gather(watched('a', one), limits)).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(gather(watched('a'), limits)).rejects.toMatchObject({ code: 'empty_file' })
  await expect(gather(watched('a', one, one), { ...limits, maxBytes: 1 })).rejects.toMatchObject({
    code: 'item_too_large',
  })
  await expect(gather(files(), limits)).rejects.toMatchObject({ code: 'empty_item' })
  const aborted = AbortSignal.abort(new Error('gone'))
  await expect(gather(watched('a', one), { ...limits, signal: aborted })).rejects.toThrow('gone')
  await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(4))
})
