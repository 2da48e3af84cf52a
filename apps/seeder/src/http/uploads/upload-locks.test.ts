import { expect, test, vi } from 'vitest'
import { UploadLocks } from './upload-locks.ts'

const never = new AbortController().signal

test('who has an upload is asked to give it back, and the next one has it then', async () => {
  const locks = new UploadLocks()
  const [first, second, other] = [locks.newLock('a'), locks.newLock('a'), locks.newLock('b')]
  const askedBack = vi.fn<() => void>()
  await first.lock(never, askedBack)
  await other.lock(never, () => undefined)
  expect(askedBack).not.toHaveBeenCalled()
  let taken = false
  const taking = second.lock(never, () => undefined).then(() => (taken = true))
  await vi.waitFor(() => expect(askedBack).toHaveBeenCalledOnce())
  expect(taken).toBe(false)
  await first.unlock()
  await taking
  await second.unlock()
  await first.lock(never, () => undefined)
})

test('who does not get it in time, or has left, does not have it', async () => {
  const locks = new UploadLocks(10)
  await locks.newLock('a').lock(never, () => undefined)
  await expect(locks.newLock('a').lock(never, () => undefined)).rejects.toMatchObject({ code: 'upload_held' })
  const gone = AbortSignal.abort()
  await expect(locks.newLock('a').lock(gone, () => undefined)).rejects.toMatchObject({ code: 'upload_held' })
})
