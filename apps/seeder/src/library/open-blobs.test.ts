import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { tempFolder } from './fixtures/item.ts'
import { printOf } from './blobs.ts'
import { OpenBlobs } from './open-blobs.ts'

vi.setConfig({ testTimeout: 30_000 })

let folder: string
let blobs: OpenBlobs
const path = (name: string) => join(folder, name)
const patience = { timeout: 20_000, interval: 20 }

beforeEach(async () => {
  folder = await tempFolder()
  blobs = new OpenBlobs(path)
})
afterEach(async () => {
  await blobs.close()
  if (opened() > 0) throw new Error('a blob stayed open')
  await rm(folder, { recursive: true })
})

function opened(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    const link = `/proc/self/fd/${fd}`
    return existsSync(link) && readlinkSync(link).startsWith(folder)
  }).length
}
const text = async (name: string) => {
  const blob = await blobs.open(name)
  const target = Buffer.alloc(100)
  try {
    return target.toString('utf8', 0, await blob.read(target, 100, 1))
  } finally {
    await blob.close()
    await blob.close()
  }
}

test('one blob is opened once for all who read it, and closed a moment after the last', async () => {
  await writeFile(path('a'), 'bytes')
  const readers = await Promise.all(Array.from({ length: 5 }, () => blobs.open('a')))
  expect(opened()).toBe(1)
  await Promise.all(readers.map((reader) => reader.close()))
  expect([opened(), await text('a'), opened()]).toEqual([1, 'ytes', 1])
  await vi.waitFor(() => expect(opened()).toBe(0), patience)
})

test('of many that nobody reads any more few stay open', async () => {
  for (let n = 0; n < 100; n++) {
    await writeFile(path(`${n}`), 'bytes')
    await text(`${n}`)
  }
  expect(opened()).toBeLessThanOrEqual(64)
})

test('an open one looks as its file does, and what happens to the file is seen', async () => {
  await writeFile(path('a'), 'bytes')
  expect(blobs.print('a')).toBeUndefined()
  await text('a')
  const before = blobs.print('a')
  expect(before).toEqual(printOf(path('a')))
  await utimes(path('a'), 1, 1)
  expect(blobs.print('a')).not.toEqual(before)
  await text('a')
  const touched = blobs.print('a')
  await rename(path('a'), path('b'))
  expect(blobs.print('a')).not.toEqual(touched)
})

test('one that was removed or replaced is not taken for the one that is there', async () => {
  await writeFile(path('a'), 'old bytes')
  const reader = await blobs.open('a')
  await rm(path('a'))
  expect(blobs.print('a')).toBeUndefined()
  await expect(blobs.open('a')).rejects.toThrow(/ENOENT/)
  await writeFile(path('a'), 'new bytes')
  expect(await text('a')).toBe('ew bytes')
  await reader.close()
})
