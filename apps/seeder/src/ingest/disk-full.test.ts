import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskFullError } from '@eldernode/core'
import { afterAll, expect, test } from 'vitest'
import { mayMount, SmallDisk } from './fixtures/small-disk.ts'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

const mebi = 1024 * 1024
const disk = new SmallDisk()

let store: Store | undefined

afterAll(async () => {
  await store?.close()
  disk.remove()
})

test('a full disk refuses an upload, leaves nothing behind and harms nothing else', async (context) => {
  if (!mayMount) context.skip('mounting a small tmpfs takes root')
  store = await openStore({ folder: join(disk.folder, 'data') })
  const { ingest, commit, library } = store
  const small = await commit(await ingest.receive(incoming([{ path: 'small', bytes: noise(1000) }]), {}))

  const large = [{ path: 'large', bytes: noise(20 * mebi) }]
  for (const expectedSize of [0, 20 * mebi])
    await expect(ingest.receive(incoming(large), { expectedSize })).rejects.toThrow(DiskFullError)
  expect(await store.incoming()).toEqual([])

  const medium = await ingest.receive(incoming([{ path: 'medium', bytes: noise(2 * mebi, 2) }]), {})
  await expect(writeFile(join(disk.folder, 'filler'), noise(8 * mebi))).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(commit(medium)).rejects.toThrow(DiskFullError)
  expect(await store.incoming()).toEqual([])
  expect(library.totals()).toEqual({ items: 1, bytes: 1000 })
  expect([...library.all()]).toEqual([small.item])

  await rm(join(disk.folder, 'filler'))
  const again = await commit(await ingest.receive(incoming([{ path: 'medium', bytes: noise(2 * mebi, 2) }]), {}))
  expect(again.created).toBe(true)
  expect(library.totals()).toEqual({ items: 2, bytes: 1000 + 2 * mebi })
})
