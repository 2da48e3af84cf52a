import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskFullError, DiskUnwritableError } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

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

test('a disk that became read-only refuses uploads and commits by name, serves, and goes on when it is mended', async (context) => {
  if (!root) context.skip('mounting a tmpfs takes root')
  store = await openStore({ storage: join(disk, 'storage') })
  const { ingest, commit, library } = store
  const upload = (path: string) => ingest.receive(incoming([{ path, bytes: noise(1000, path.length) }]), {})
  const { item } = await commit(await upload('held'))
  const received = await upload('received')

  execFileSync('mount', ['-o', 'remount,ro', disk])
  const named = { code: 'disk_unwritable', message: expect.stringContaining(join(disk, 'storage')) as unknown }
  await expect(upload('refused')).rejects.toMatchObject(named)
  await expect(commit(received)).rejects.toMatchObject(named)
  await expect(received.staging.discard()).rejects.toThrow(DiskUnwritableError)
  expect(library.totals()).toEqual({ items: 1, bytes: 1000 })
  expect(await library.open(item.infoHash)).toBeDefined()

  execFileSync('mount', ['-o', 'remount,rw', disk])
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
