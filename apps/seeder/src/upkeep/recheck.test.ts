import { rm, utimes, writeFile } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { checked, fakeTime, hold, library, reopen, upkeep } from './testing/keeping.ts'

test('a catalog that cannot be read is asked again, and the process goes on', async () => {
  const item = await hold('unread')
  await utimes(library.blobPath(item.sha256), 1, 1)
  expect(await library.check(item.infoHash)).toBe(false)
  fakeTime()
  vi.spyOn(library, 'suspects').mockImplementationOnce(() => {
    throw new Error('disk I/O error')
  })
  upkeep.start()
  await vi.advanceTimersByTimeAsync(29_000)
  expect(checked).toEqual([])
  await vi.advanceTimersByTimeAsync(1_000)
  await vi.waitUntil(() => checked.length === 1, { timeout: 10_000 })
  expect(checked).toEqual([`${item.infoHash} true`])
})

test('changed blobs are hashed again: the good one counts again, the wrong one is reported', async () => {
  const [good, wrong] = [await hold('good'), await hold('wrong')]
  await utimes(library.blobPath(good.sha256), 1, 1)
  await writeFile(library.blobPath(wrong.sha256), 'WRONG')
  for (const { infoHash } of [good, wrong]) expect(await library.check(infoHash)).toBe(false)
  upkeep.start()
  await vi.waitUntil(() => checked.length === 2, { timeout: 10_000 })
  expect(checked.toSorted()).toEqual([`${good.infoHash} true`, `${wrong.infoHash} false`].toSorted())
  expect(library.damaged()).toEqual([wrong.infoHash])
})

test('an item found changed while it runs is hashed at once, not at the next look', async () => {
  upkeep.start()
  const item = await hold('asked')
  await utimes(library.blobPath(item.sha256), 1, 1)
  fakeTime()
  expect(await library.open(item.infoHash)).toBeUndefined()
  await vi.waitUntil(() => checked.length === 2, { timeout: 10_000 })
  expect(checked).toEqual([`${item.infoHash} false`, `${item.infoHash} true`])
  expect(await library.open(item.infoHash)).toBeDefined()
})

test('an item that is asked for is hashed before those that wait', async () => {
  const items = []
  for (const name of ['a', 'b', 'c', 'd']) items.push(await hold(name))
  for (const { sha256 } of items) await utimes(library.blobPath(sha256), 1, 1)
  await reopen()
  for (const { infoHash } of items) expect(await library.check(infoHash)).toBe(false)
  const last = library.suspects().at(-1) ?? ''
  upkeep.start()
  expect(await library.open(last)).toBeUndefined()
  await vi.waitUntil(() => library.suspects().length === 0, { timeout: 10_000 })
  const right = checked.filter((word) => word.endsWith('true'))
  expect(right).toHaveLength(4)
  expect(right.indexOf(`${last} true`)).toBeLessThan(2)
})

test('an item whose bytes vanished is told of when that is found', async () => {
  upkeep.start()
  const item = await hold('vanished')
  await rm(library.blobPath(item.sha256))
  expect(await library.open(item.infoHash)).toBeUndefined()
  expect(checked).toEqual([`${item.infoHash} false`])
  expect(library.damaged()).toEqual([item.infoHash])
})
