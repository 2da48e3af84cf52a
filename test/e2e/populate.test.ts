import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { populate, Seeder, sha256 } from '../harness/index.ts'

let folder: string
let seeder: Seeder

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-populate-'))
  seeder = new Seeder('seeder', join(folder, 'data'), { 'network.allowPrivate': true, 'swarm.trackers': [] })
})

afterEach(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

test('a populated folder is what a daemon would have made of the same uploads', async () => {
  const population = await populate(seeder.folder, { items: 300, published: true })
  await seeder.start()
  await seeder.ready()
  const items = await seeder.items()
  expect(items.size).toBe(300)
  expect([...items.values()].every(({ publisher }) => publisher === seeder.id)).toBe(true)
  for (const index of [0, 123, 299]) {
    const [id, bytes] = [population.infoHash(index), population.bytes(index)]
    expect(await seeder.content(id)).toEqual({ status: 200, sha256: sha256(bytes) })
    const again = await seeder.publish(population.name(index), bytes)
    const found = items.get(id)
    expect(found).toBeDefined()
    // The publisher is shown more than whoever looks.
    expect(again).toMatchObject({ ...found })
  }
  expect((await seeder.items()).size).toBe(300)
})
