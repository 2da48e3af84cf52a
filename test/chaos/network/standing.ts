import type { Seeder } from '../../harness/index.ts'

interface Health {
  level: 'lost' | 'below-min' | 'below-target' | 'at-target' | 'surplus'
  min: number
  target: number
  proven: number
  wanted: string[]
  why: { code: string; detail: string }[]
  copies: { id: string; state: string; proof: string }[]
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
