import { rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { checked, fakeTime, folder, hold, library, storage, upkeep } from './testing/keeping.ts'

const away = () => rename(join(folder, 'blobs'), join(folder, 'away'))
const back = () => rename(join(folder, 'away'), join(folder, 'blobs'))

async function passes(ms: number, until: () => boolean): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await vi.waitUntil(until, { timeout: 10_000 })
}

test('a storage folder that goes away and comes back is noticed within seconds', async () => {
  const item = await hold('kept')
  fakeTime()
  upkeep.start()
  await away()
  await passes(3_000, () => storage.length === 1)
  expect(library.storage().state).toBe('missing')
  expect(await library.open(item.infoHash)).toBeUndefined()
  await back()
  await passes(3_000, () => storage.length === 2)
  expect(storage).toEqual(['missing', 'here'])
  expect(await library.open(item.infoHash)).toBeDefined()
  expect(checked).toEqual([])
})

test('nothing is hashed or found lost while the storage folder is away, and what waits is hashed when it is back', async () => {
  const item = await hold('kept')
  await utimes(library.blobPath(item.sha256), 1, 1)
  expect(await library.check(item.infoHash)).toBe(false)
  await away()
  await library.look()
  fakeTime()
  const verify = vi.spyOn(library, 'verify')
  upkeep.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(verify).not.toHaveBeenCalled()
  expect([library.suspects(), library.damaged()]).toEqual([[item.infoHash], []])
  await back()
  await passes(3_000, () => checked.length === 1)
  expect(checked).toEqual([`${item.infoHash} true`])
})

test('signs of life are given once a minute', async () => {
  fakeTime()
  const alive = vi.spyOn(library, 'alive')
  upkeep.start()
  await vi.advanceTimersByTimeAsync(180_000)
  expect(alive).toHaveBeenCalledTimes(3)
})
