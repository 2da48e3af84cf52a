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
