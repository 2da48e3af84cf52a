import { pino } from 'pino'
import { SnapshotFiles } from '../../apps/tracker/src/snapshot-file.ts'
import { Announce, Answer, Swarms } from '../../apps/tracker/src/swarm/index.ts'

const empty = (): Swarms =>
  new Swarms({
    limits: { swarms: 10, peersPerSwarm: 10_000, peers: 10_000 },
    ttl: { address: 1000, socket: 1000 },
    now: () => 0,
    random: Math.random,
    secret: () => 0.5,
  })

const files = (path: string): SnapshotFiles => new SnapshotFiles(path, pino({ level: 'silent' }))

/** Writes a tracker's file of so many peers, as it does when it stops. */
export function savePeers(path: string, count: number): void {
  const swarms = empty()
  const [word, answer] = [new Announce(), new Answer()]
  for (let number = 0; number < count; number++) {
    word.address[0] = number
    word.port = 1
    swarms.announce(word, answer)
  }
  files(path).save(swarms)
}

/** How many peers a start finds in the file. */
export function peersIn(path: string): number {
  const swarms = empty()
  files(path).load(swarms, 1000)
  return swarms.peers
}
