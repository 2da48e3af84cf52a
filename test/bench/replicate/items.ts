import { Network, seededBytes } from '../../harness/index.ts'
import type { Settings } from '../../harness/seeder.ts'
import { RawClient } from '../publish/raw-client.ts'

export const items = Number(process.env['ITEMS'] ?? 1_000)
const size = 64 * 1024
const clientsPerNode = 4

export async function networkOf(
  seeders: number,
  folder: string,
  settings: Settings = {},
  tracker = false,
): Promise<Network> {
  return await Network.start({ seeders, tracker, within: folder, settings })
}

/** Publishes items of 64 KiB, as many at each node. */
export async function publish(network: Network): Promise<void> {
  let next = 0
  const work = async (client: RawClient): Promise<void> => {
    for (let n = next++; n < items; n = next++) {
      const status = await client.put(`${n}.bin`, size, [seededBytes(n + 1, size)])
      if (status !== 201) throw new Error(`a seeder answered ${status}`)
    }
    client.close()
  }
  const clients = network.seeders.flatMap((seeder) =>
    Array.from({ length: clientsPerNode }, () => RawClient.connect(seeder.url, seeder.token)),
  )
  await Promise.all((await Promise.all(clients)).map(work))
}
