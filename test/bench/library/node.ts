import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Seeder } from '../../harness/index.ts'

/** A port that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The daemon under test on a data folder, with a peer port that is known before it starts. */
export function daemon(folder: string, trackers: readonly string[], port = 0): Seeder {
  return new Seeder('seeder', folder, {
    'network.allowPrivate': true,
    'swarm.trackers': trackers,
    'swarm.port': port,
  })
}
