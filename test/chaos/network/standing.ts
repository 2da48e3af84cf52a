import { until, type Seeder } from '../../harness/index.ts'
import type { Piece } from './cargo.ts'

interface Health {
  level: 'lost' | 'below-min' | 'below-target' | 'at-target' | 'surplus'
  min: number
  target: number
  proven: number
  survives: number
  wanted: string[]
  why: { code: string; detail: string }[]
  copies: { id: string; state: string; proof: string; live: boolean }[]
}

interface Page {
  items: (Health & { id: string })[]
  nextCursor?: string
}

/** How all items stand, as one node sees them. */
export async function standing(seeder: Seeder): Promise<Map<string, Health>> {
  const all = new Map<string, Health>()
  let cursor = ''
  do {
    const response = await seeder.admin('GET', `/v1/replication?limit=1000${cursor}`)
    if (!response.ok) throw new Error(`${seeder.name} answered ${response.status}`)
    const page = (await response.json()) as Page
    for (const item of page.items) all.set(item.id, item)
    cursor = page.nextCursor === undefined ? '' : `&cursor=${page.nextCursor}`
  } while (cursor !== '')
  return all
}

const settleMs = 240_000

/** Waits until every running node sees all these items at their target, with no proof and no live copy of who is named. */
export async function atTarget(
  seeders: readonly Seeder[],
  pieces: () => readonly Piece[],
  { liar, gone }: { liar?: string | undefined; gone?: string } = {},
): Promise<void> {
  const running = seeders.filter((seeder) => seeder.isRunning)
  await Promise.all(running.map((seeder) => seeder.ready(60_000)))
  for (const seeder of running) {
    let missing: string[] = []
    await until(
      async () => {
        const seen = await standing(seeder)
        missing = pieces().flatMap(({ media: { id } }) => {
          const health = seen.get(id)
          const copies = health?.copies ?? []
          if (copies.some((copy) => copy.id === liar && copy.proof === 'proven')) return `${id}: the liar passes`
          if (copies.some((copy) => copy.id === gone && copy.live)) return `${id}: who is gone counts`
          if (health?.level === 'at-target' || health?.level === 'surplus') return []
          return `${id}: ${health?.level ?? 'unknown'} ${JSON.stringify(health?.why)} ${JSON.stringify(copies)}`
        })
        return missing.length === 0
      },
      { within: settleMs, every: 500, what: `${seeder.name} sees every item at its target` },
    ).catch((error: unknown) => {
      throw new Error(`${missing.length} of ${pieces().length} are not:\n${missing.slice(0, 5).join('\n')}`, {
        cause: error,
      })
    })
  }
}
