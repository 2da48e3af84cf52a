import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskFullError } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

const mebi = 1024 * 1024
const root = process.getuid?.() === 0
const disk = mkdtempSync(join(tmpdir(), 'eldernode-disk-'))

let store: Store | undefined

beforeAll(() => {
  if (root) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk])
})
afterAll(async () => {
  await store?.close()
  if (root) execFileSync('umount', [disk])
  rmSync(disk, { recursive: true })
})

test('a full disk refuses an upload, leaves nothing behind and harms nothing else', async (context) => {
  if (!root) context.skip('mounting a small tmpfs takes root')
  store = await openStore({ folder: join(disk, 'data') })
  const { ingest, commit, library } = store
  const small = await commit(await ingest.receive(incoming([{ path: 'small', bytes: noise(1000) }]), {}))

  const large = [{ path: 'large', bytes: noise(20 * mebi) }]
  for (const expectedSize of [0, 20 * mebi])
    await expect(ingest.receive(incoming(large), { expectedSize })).rejects.toThrow(DiskFullError)
  expect(await store.incoming()).toEqual([])

  const medium = await ingest.receive(incoming([{ path: 'medium', bytes: noise(2 * mebi, 2) }]), {})
  await expect(writeFile(join(disk, 'filler'), noise(8 * mebi))).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(commit(medium)).rejects.toThrow(DiskFullError)
  expect(await store.incoming()).toEqual([])
  expect(library.totals()).toEqual({ items: 1, bytes: 1000 })
  expect([...library.all()]).toEqual([small.item])

  await rm(join(disk, 'filler'))
  const again = await commit(await ingest.receive(incoming([{ path: 'medium', bytes: noise(2 * mebi, 2) }]), {}))
  expect(again.created).toBe(true)
  expect(library.totals()).toEqual({ items: 2, bytes: 1000 + 2 * mebi })
})
