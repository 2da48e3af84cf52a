import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'

const large = 256 * 2 ** 20
const small = 100

let network: Network
let media: Media

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  media = await network.first.publish('large.bin', seededBytes(1, large))
  for (let i = 0; i < small; i++) await network.first.publish(`${i}.bin`, seededBytes(100 + i, 20_000))
})

afterAll(() => network.close())

/** Bytes that a process asked the system to read, from disk or from its cache (proc(5)). */
async function bytesRead(pid: number): Promise<number> {
  const [, count] = /^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8')) ?? []
  return Number(count)
}

/** As if the large item had come long ago, and the others just now. */
function age(seeder: Seeder): void {
  const db = new DatabaseSync(join(seeder.folder, 'catalog.db'))
  db.prepare('UPDATE blobs SET written_at = written_at - 3600000 WHERE size = ?').run(large)
  db.close()
}

test('after SIGTERM everything is served again at once, and nothing was hashed', async () => {
  network.reportFailure()
  const seeder = network.first
  await seeder.stop()
  await seeder.start()
  await seeder.ready(20_000)
  expect((await seeder.items()).size).toBe(small + 1)
  // Node and the program's own source are some 30 MB.
  expect(await bytesRead(seeder.pid)).toBeLessThan(large / 3)
  expect(await seeder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
})

test('after SIGKILL only what came in the last minutes is hashed, everything else is served at once', async () => {
  network.reportFailure()
  const seeder = network.first
  await seeder.kill()
  age(seeder)
  await seeder.start()
  await seeder.ready(20_000)
  expect(await seeder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  await until(async () => (await seeder.items()).size === small + 1, { within: 20_000, what: 'all items are listed' })
  // What was asked for above was read once, to be sent.
  expect(await bytesRead(seeder.pid)).toBeLessThan(large + large / 3)
})
