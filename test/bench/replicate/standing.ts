import type { Network, Seeder } from '../../harness/index.ts'

/** Copies that lie on disks, by item, as those say who run. */
export async function copies(network: Network): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const items of await Promise.all(running(network).map((seeder) => seeder.items()))) {
    for (const id of items.keys()) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

export function running(network: Network): Seeder[] {
  return network.seeders.filter((seeder) => seeder.isRunning)
}
