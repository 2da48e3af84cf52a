import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Member, Network, until, type Seeder } from '../harness/index.ts'

interface Job {
  lane: string
  running: boolean
  attempts: number
  reason?: { code: string }
}

const infoHash = 'ab'.repeat(20)
let network: Network
let publisher: Member

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  publisher = await Member.join(network)
})

afterAll(async () => {
  await publisher.close()
  await network.close()
})

async function jobOf(seeder: Seeder): Promise<Job | undefined> {
  const response = await seeder.admin('GET', '/v1/replication')
  const { items } = (await response.json()) as { items: { id: string; job?: Job }[] }
  return items.find(({ id }) => id === infoHash)?.job
}

/** How often it was tried in vain, as it will be known after a power cut. */
function noted({ folder }: Seeder): number {
  const db = new DatabaseSync(join(folder, 'catalog.db'), { readOnly: true })
  try {
    return Number(db.prepare('SELECT attempts FROM jobs WHERE info_hash = ?').get(infoHash)?.['attempts'] ?? 0)
  } finally {
    db.close()
  }
}

test('what waits to be copied, how often it was tried and why in vain, is known after kill -9', async () => {
  network.reportFailure()
  const seeder = network.first
  // Nobody says to have it, and nobody does.
  await publisher.graph.publish('m', infoHash, {
    infoHash,
    name: 'nowhere.bin',
    size: 100_000,
    pieceLength: 16_384,
    files: [{ path: 'nowhere.bin', size: 100_000, sha256: 'cd'.repeat(32), type: 'application/octet-stream' }],
    trackers: [],
    replicas: { min: 1, target: 2 },
    access: 'public',
    createdAt: 1,
    state: 'live',
  })
  const before = await until(() => Promise.resolve(noted(seeder) >= 3 && noted(seeder)), {
    within: 60_000,
    what: 'it was tried three times, and that is noted',
  })
  await seeder.kill()
  await seeder.start()
  const after = await until(() => jobOf(seeder), { within: 30_000, what: 'it waits to be copied again' })
  expect(after).toMatchObject({ lane: 'new', reason: { code: 'no_source' } })
  expect(after.attempts).toBeGreaterThanOrEqual(before)
})
