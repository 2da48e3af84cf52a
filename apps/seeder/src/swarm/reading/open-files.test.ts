import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { readlinkSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OpenFiles } from './open-files.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** Files of the test's folder that this process has open. */
async function open(): Promise<number> {
  const descriptors = await readdir('/proc/self/fd')
  return descriptors.filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder)
    } catch {
      return false
    }
  }).length
}

test('no more than the limit stay open, and the ones in use are never closed', async () => {
  const files = new OpenFiles(4)
  const paths = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const path = join(folder, String(index))
      await writeFile(path, String(index))
      return path
    }),
  )
  const read = (path: string): Promise<string> =>
    files.use(path, 'read', async (handle) => {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
      return buffer.subarray(0, bytesRead).toString()
    })
  expect(await Promise.all(paths.map(read))).toEqual(paths.map((_, index) => String(index)))
  await read(paths[0] ?? '')
  expect(await open()).toBeLessThanOrEqual(4)
  await files.use(paths[1] ?? '', 'read', async (handle) => {
    for (const path of paths) await read(path)
    expect((await handle.stat()).size).toBe(1)
  })
  await files.forget(paths)
  expect(await open()).toBe(0)
})

test('a lower limit closes at once what nobody uses, and holds from then on', async () => {
  const files = new OpenFiles(10)
  const paths = Array.from({ length: 20 }, (_, index) => join(folder, String(index)))
  for (const path of paths.slice(0, 10)) await files.use(path, 'write', () => Promise.resolve())
  expect(await open()).toBe(10)
  await files.use(paths[0] ?? '', 'write', async (handle) => {
    await files.limit(2)
    expect(await open()).toBe(2)
    await handle.write('x')
  })
  for (const path of paths) await files.use(path, 'write', () => Promise.resolve())
  expect([files.size, await open()]).toEqual([2, 2])
  await files.close()
})

test('handles that were used all at once are closed down to the limit', async () => {
  const files = new OpenFiles(2)
  const paths = Array.from({ length: 20 }, (_, index) => join(folder, String(index)))
  await Promise.all(paths.map((path) => files.use(path, 'write', () => Promise.resolve())))
  expect([files.size, await open()]).toEqual([2, 2])
  await files.close()
})

test('a file that cannot be closed fails nobody who read it or another', async () => {
  const files = new OpenFiles(1)
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  const failing = (handle: FileHandle): Promise<string> => {
    const close = handle.close.bind(handle)
    handle.close = async () => {
      await close()
      throw new Error('EIO: i/o error, close')
    }
    return Promise.resolve('read')
  }
  expect(await files.use(first, 'write', failing)).toBe('read')
  expect(await files.use(second, 'write', failing)).toBe('read')
  const forgotten = files.use(second, 'write', async () => {
    await files.forget([second])
    return 'read'
  })
  expect(await forgotten).toBe('read')
})

test('a file that cannot be opened is tried again the next time', async () => {
  const files = new OpenFiles()
  const path = join(folder, 'later')
  await expect(files.use(path, 'read', () => Promise.resolve())).rejects.toThrow('ENOENT')
  await files.use(path, 'write', (handle) => handle.write('x'))
  expect(await files.use(path, 'read', async (handle) => (await handle.stat()).size)).toBe(1)
  await files.close()
  expect(await open()).toBe(0)
  expect(files.size).toBe(0)
})
