import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Member, metric, Network, seededBytes, until, type Seeder } from '../harness/index.ts'

interface Amount {
  items: number
  bytes: number
}

interface Page {
  totals: Record<'lost' | 'belowMin' | 'belowTarget' | 'atTarget' | 'surplus', Amount> &
    Amount & { at: number; oldestProof?: number }
  items: (Record<string, unknown> & { id: string; proven: number })[]
}

let network: Network
let modest: Seeder
let strict: Seeder
let outsider: Member
let file: string

beforeAll(async () => {
  network = await Network.start({ seeders: 0, tracker: false, settings: { 'replicas.min': 1, 'replicas.target': 3 } })
  modest = await network.join()
  file = join(network.folder, 'seeder.toml')
  await writeFile(file, '')
  strict = await network.join({ config: file, 'replicas.min': 3 })
  outsider = await Member.join(network)
  await network.acquainted()
})

afterAll(async () => {
  await outsider.close()
  await network.close()
})

const page = async (seeder: Seeder, query = ''): Promise<Page> =>
  (await (await seeder.admin('GET', `/v1/replication${query}`)).json()) as Page

test('every level is counted, listed and told to Prometheus, as each node sees the items', async () => {
  network.reportFailure()
  const atTarget = await modest.publish('at target.bin', seededBytes(1, 1_000), 2)
  const belowTarget = await modest.publish('below target.bin', seededBytes(2, 20_000))
  const belowMin = await strict.publish('below min.bin', seededBytes(3, 300_000))
  const surplus = await modest.publish('surplus.bin', seededBytes(4, 4_000), 1)
  await writeFile(file, `policy.pinned = ["${surplus.id}"]\n`)
  process.kill(strict.pid, 'SIGHUP')
  const lost = { id: 'ab'.repeat(20), size: 50_000 }
  await outsider.graph.publish('m', lost.id, {
    infoHash: lost.id,
    name: 'lost.bin',
    size: lost.size,
    pieceLength: 16_384,
    files: [{ path: 'lost.bin', size: lost.size, sha256: 'cd'.repeat(32), type: 'text/plain' }],
    trackers: [],
    replicas: { min: 1, target: 2 },
    access: 'public',
    createdAt: 1,
    state: 'live',
  })
  const levels = { atTarget, belowTarget, belowMin, surplus, lost }
  const expected = Object.fromEntries(
    Object.entries(levels).map(([level, { size: bytes }]) => [level, { items: 1, bytes }]),
  )
  for (const seeder of network.seeders) {
    const { totals, items } = await until(
      async () => {
        const seen = await page(seeder)
        const { at: _at, oldestProof: _oldestProof, items: _items, bytes: _bytes, ...counted } = seen.totals
        const copied = seen.items.find(({ id, proven }) => id === belowMin.id && proven === 2)
        if (copied === undefined || !isDeepStrictEqual(counted, expected)) throw new Error(JSON.stringify(seen))
        return seen
      },
      { within: 60_000, what: `${seeder.name} sees an item of every level` },
    )
    expect(totals).toMatchObject({ items: 5, bytes: 375_000 })
    expect(Math.abs(Date.now() - (totals.oldestProof ?? 0))).toBeLessThan(120_000)
    expect(items).toHaveLength(5)
    for (const [name, { id }] of Object.entries(levels)) {
      const level = name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)
      expect((await page(seeder, `?level=${level}`)).items.map((item) => item.id)).toEqual([id])
      expect(await metric(seeder, 'replication_items', `level="${level}"`)).toBe(1)
      // In steps, so that nobody learns the size of what is private.
      expect(await metric(seeder, 'replication_bytes', `level="${level}"`)).toBe(2 ** 24)
    }
    expect(items.find((item) => item.id === belowMin.id)).toMatchObject({
      publishers: [strict.id],
      min: 3,
      target: 3,
      proven: 2,
      missing: 1,
      survives: 1,
      why: [{ code: 'too_few_members' }],
    })
    expect(await metric(seeder, 'replication_oldest_proof_seconds')).toBeLessThan(120)
  }
})

test('a copy counts in the totals as soon as it is proven, though nobody came or went', async () => {
  network.reportFailure()
  for (let n = 0; n < 3; n++) {
    const { atTarget } = (await page(strict)).totals
    await modest.publish(`later ${n}.bin`, seededBytes(10 + n, 1_000), 2)
    for (const seeder of network.seeders) {
      await until(async () => (await page(seeder)).totals.atTarget.items === atTarget.items + 1, {
        within: 30_000,
        what: `${seeder.name} counts it`,
      })
    }
  }
})
