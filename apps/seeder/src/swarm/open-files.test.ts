import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { readlinkSync } from 'node:fs'
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
