import { join } from 'node:path'
import { DiskFullError, DiskUnwritableError } from '@eldernode/core'
import { afterAll, expect, test } from 'vitest'
import { mayMount, SmallDisk } from './fixtures/small-disk.ts'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

const disk = new SmallDisk()

let store: Store | undefined

afterAll(async () => {
  await store?.close()
  disk.remove()
})

test('a disk that became read-only refuses uploads and commits by name, serves, and goes on when it is mended', async (context) => {
  if (!mayMount) context.skip('mounting a tmpfs takes root')
  store = await openStore({ storage: join(disk.folder, 'storage') })
  const { ingest, commit, library } = store
  const upload = (path: string) => ingest.receive(incoming([{ path, bytes: noise(1000, path.length) }]), {})
  const { item } = await commit(await upload('held'))
  const received = await upload('received')

  disk.remount('ro')
  const named = { code: 'disk_unwritable', message: expect.stringContaining(join(disk.folder, 'storage')) as unknown }
  await expect(upload('refused')).rejects.toMatchObject(named)
  await expect(commit(received)).rejects.toMatchObject(named)
  await expect(received.staging.discard()).rejects.toThrow(DiskUnwritableError)
  expect(library.totals()).toEqual({ items: 1, bytes: 1000 })
  expect(await library.open(item.infoHash)).toBeDefined()

  disk.remount('rw')
  await received.staging.discard()
  expect((await commit(await upload('received'))).created).toBe(true)
})

test.each(['EROFS', 'EACCES', 'EPERM', 'EIO'])('%s is a disk that cannot be written', (code) => {
  const cause = Object.assign(new Error(code), { code })
  expect(DiskUnwritableError.of(cause, '/data')).toMatchObject({ code: 'disk_unwritable', cause })
})

test('a full disk is still one, and what is not about the disk stays what it is', () => {
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  expect(DiskUnwritableError.of(full, '/data')).toBeInstanceOf(DiskFullError)
  const other = new TypeError('x')
  expect(DiskUnwritableError.of(other, '/data')).toBe(other)
})
