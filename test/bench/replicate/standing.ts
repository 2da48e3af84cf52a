import { until, type Network, type Seeder } from '../../harness/index.ts'

interface Totals {
  items: number
  lost: { items: number }
  belowMin: { items: number }
  belowTarget: { items: number }
  atTarget: { items: number }
  surplus: { items: number }
}

export function running(network: Network): Seeder[] {
  return network.seeders.filter((seeder) => seeder.isRunning)
}

/** Resolves when every running node sees so many items, each with as many proven copies as it wants. */
export async function provenAll(network: Network, count: number): Promise<void> {
  await until(
    async () => {
      for (const seeder of running(network)) {
        const { items, belowTarget, belowMin, lost, atTarget, surplus } = await totals(seeder)
        if (items >= count && atTarget.items + surplus.items >= items) continue
        throw new Error(
          `${seeder.name}: ${atTarget.items} and ${surplus.items} of ${items} of ${count}; ` +
            `${belowTarget.items} below target, ${belowMin.items} below min, ${lost.items} lost`,
        )
      }
      return true
    },
    { within: Number(process.env['WITHIN'] ?? 300) * 1000, every: 250, what: 'every item has its proven copies' },
  )
}

/** Resolves when no running node counts a member as live any more, and one of them sees that copies are missing. */
export async function missed(network: Network, id: string, count: number): Promise<void> {
  const left = new Set(running(network))
  let isMissing = false
  await until(
    async () => {
      for (const seeder of running(network)) {
        const { atTarget, surplus } = await totals(seeder)
        isMissing ||= atTarget.items + surplus.items < count
        const { peers } = await seeder.get<{ peers: { id: string }[] }>('/v1/peers')
        if (!peers.some((peer) => peer.id === id)) left.delete(seeder)
      }
      if (left.size > 0 || !isMissing) throw new Error(`${left.size} nodes still count it; missing: ${isMissing}`)
      return true
    },
    { within: 120_000, every: 100, what: 'the killed node is missed' },
  )
}

/** Proven copies of an item, as one node sees them. */
export async function provenCopies(seeder: Seeder, id: string): Promise<number> {
  const { replication } = await seeder.get<{ replication?: { proven: number } }>(`/v1/media/${id}`)
  return replication?.proven ?? 0
}

async function totals(seeder: Seeder): Promise<Totals> {
  const response = await seeder.admin('GET', '/v1/replication?limit=0')
  if (!response.ok) throw new Error(`${seeder.name} answered ${response.status}`)
  return ((await response.json()) as { totals: Totals }).totals
}
