import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Seeder, seededBytes, until, type Media } from '../harness/index.ts'

const size = 32 * 2 ** 20

let folder: string
let disk: string
let seeder: Seeder

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-storage-'))
  disk = join(folder, 'disk')
})

afterEach(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true })
})

async function start(within: readonly string[] = []): Promise<Media> {
  seeder = new Seeder('seeder', join(folder, 'data'), { 'storage.folder': disk }, { within })
  await seeder.start()
  await seeder.ready()
  return await seeder.publish('kept.bin', seededBytes(1, size))
}

async function answer(path: string): Promise<string> {
  return await (await fetch(seeder.url + path)).text()
}

async function suspended(media: Media): Promise<void> {
  await until(async () => (await fetch(`${seeder.url}/ready`)).status === 503, {
    within: 10_000,
    what: 'it is suspended',
  })
  expect(await answer('/ready')).toContain('is its disk mounted?')
  expect((await seeder.content(media.id)).status).toBe(503)
  expect((await seeder.admin('PUT', '/v1/media?name=late', new Uint8Array(10))).status).toBe(503)
  const metrics = await answer('/metrics')
  expect(metrics).toContain('eldernode_storage_suspended 1')
  expect(metrics).toContain('eldernode_items_damaged 0')
  expect(metrics).toContain('eldernode_swarm_torrents 0')
}

/** Bytes that it asked the system to read so far (proc(5)). */
async function bytesRead(): Promise<number> {
  const [, count] = /^rchar: (\d+)$/m.exec(await readFile(`/proc/${seeder.pid}/io`, 'utf8')) ?? []
  return Number(count)
}

async function servedAgain(media: Media): Promise<void> {
  await seeder.ready(20_000)
  expect(await seeder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  await until(async () => (await answer('/metrics')).includes('eldernode_swarm_torrents 1'), {
    within: 10_000,
    what: 'the item is seeded again',
  })
}

const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0

test.skipIf(!mayMount)('a disk that is unmounted while the seeder runs, and mounted again', async () => {
  const memory = join(folder, 'memory')
  for (const path of [memory, disk]) await mkdir(path)
  const mounts = `mount -t tmpfs tmpfs ${memory} && mount --bind ${memory} ${disk} && exec "$@"`
  const media = await start(['unshare', '-m', 'sh', '-c', mounts, 'sh'])
  const there = (...args: string[]) => execFileSync('nsenter', ['-m', '-t', String(seeder.pid), ...args])
  const before = await bytesRead()
  there('umount', disk)
  await suspended(media)
  there('mount', '--bind', memory, disk)
  await seeder.ready(20_000)
  // Nothing was hashed because of it.
  expect((await bytesRead()) - before).toBeLessThan(size / 2)
  await servedAgain(media)
})

test('a start without the disk waits for it, and writes nothing where it belongs', async () => {
  const media = await start()
  await seeder.stop()
  await rename(disk, join(folder, 'elsewhere'))
  await mkdir(disk)
  await seeder.start()
  await suspended(media)
  expect(await readdir(disk)).toEqual([])
  await rm(disk, { recursive: true })
  await rename(join(folder, 'elsewhere'), disk)
  await servedAgain(media)
})
