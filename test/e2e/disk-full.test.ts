import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until } from '../harness/index.ts'

const megabyte = 2 ** 20

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 1 })
})

afterAll(() => network.close())

test('a copy that does not fit the capacity is refused before a byte is fetched; smaller ones are taken', async () => {
  network.reportFailure()
  const tight = await network.join({ 'storage.capacityBytes': 8 * megabyte })
  const large = await network.first.publish('large.bin', seededBytes(1, 12 * megabyte))
  const small = await network.first.publish('small.bin', seededBytes(2, 2 * megabyte))
  await until(() => tight.holds(small.id), { within: 30_000, what: 'the small item is copied' })
  expect(await tight.holds(large.id)).toBe(false)
  expect(await tight.content(small.id)).toEqual({ status: 200, sha256: small.sha256 })
})

test('a full disk: nothing is copied to it and what was held stays; the copy is made once there is room', async (context) => {
  if (process.getuid?.() !== 0) context.skip('mounting a small tmpfs takes root')
  network.reportFailure()
  const disk = join(network.folder, 'disk')
  await mkdir(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk])
  const cramped = await network.joinAt(join(disk, 'node'), { 'storage.capacityBytes': 1000 * megabyte })
  try {
    const held = await network.first.publish('held.bin', seededBytes(3, 4 * megabyte))
    await until(() => cramped.holds(held.id), { within: 30_000, what: 'the first item is copied' })

    await writeFile(join(disk, 'filler'), seededBytes(4, 44 * megabyte))
    await until(
      async () => {
        const { peers } = await network.first.get<{ peers: { id: string; capacity: { free: number } }[] }>('/v1/peers')
        return peers.some(({ id, capacity }) => id === cramped.id && capacity.free < 16 * megabyte)
      },
      { within: 30_000, what: 'the others know that its disk is full' },
    )
    const media = await network.first.publish('waits.bin', seededBytes(5, 16 * megabyte))
    expect(await cramped.content(held.id)).toEqual({ status: 200, sha256: held.sha256 })
    await until(async () => (await readdir(join(cramped.folder, 'incoming'))).length === 0, {
      within: 10_000,
      what: 'nothing is left of the transfer',
    })

    expect(await cramped.holds(media.id)).toBe(false)

    await rm(join(disk, 'filler'))
    await until(() => cramped.holds(media.id), { within: 60_000, what: 'the copy is made once there is room' })
    expect(await cramped.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  } finally {
    await cramped.kill()
    execFileSync('umount', [disk])
  }
})

test('a disk that becomes full amid a copy ends that copy alone; it is made once there is room', async (context) => {
  if (process.getuid?.() !== 0) context.skip('mounting a small tmpfs takes root')
  network.reportFailure()
  const disk = join(network.folder, 'filling')
  await mkdir(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', disk])
  const slow = { 'storage.capacityBytes': 1000 * megabyte, 'swarm.itemDownloadLimit': 4 * megabyte }
  const cramped = await network.joinAt(join(disk, 'node'), slow)
  try {
    const held = await network.first.publish('held too.bin', seededBytes(6, megabyte))
    await until(() => cramped.holds(held.id), { within: 30_000, what: 'the first item is copied' })
    const media = await network.first.publish('broken off.bin', seededBytes(7, 16 * megabyte))
    const incoming = join(cramped.folder, 'incoming')
    await until(async () => (await readdir(incoming)).length > 0, { within: 20_000, what: 'the copy has begun' })
    execFileSync('sh', ['-c', `head -c 400m /dev/zero > ${join(disk, 'filler')} || true`])
    const failed = () => cramped.output().includes(`"infoHash":"${media.id}","reason":"disk_full"`)
    await until(() => Promise.resolve(failed()), { within: 30_000, what: 'the copy failed for that reason' })
    await until(async () => (await readdir(incoming)).length === 0, { within: 10_000, what: 'nothing is left of it' })
    expect(await cramped.content(held.id)).toEqual({ status: 200, sha256: held.sha256 })
    await rm(join(disk, 'filler'))
    // It need not wait for its turn among those that failed.
    expect((await cramped.admin('POST', `/v1/media/${media.id}/repair`)).status).toBe(202)
    await until(() => cramped.holds(media.id), { within: 30_000, what: 'the copy is made once there is room' })
    expect(await cramped.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  } finally {
    await cramped.kill()
    execFileSync('umount', [disk])
  }
})
