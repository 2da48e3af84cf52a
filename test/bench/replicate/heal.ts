import { setTimeout as pause } from 'node:timers/promises'
import { round, tell, type Figures, type Part, type Stage } from '../publish/figures.ts'
import { items, networkOf, publish } from './items.ts'
import { missed, provenAll } from './standing.ts'

/** Longer than the 45 s after which a node is suspected; what is measured begins at its end. */
const graceSeconds = Number(process.env['GRACE'] ?? 60)

/** One of 5 nodes is killed: from the end of its time of grace until all items have the proven copies that they want again,
 * as every other node sees it. */
async function run({ folder }: Stage): Promise<Figures> {
  const network = await networkOf(5, folder, { 'repair.grace': graceSeconds })
  try {
    await publish(network)
    await provenAll(network, items)
    const killed = network.at(3)
    await killed.kill()
    const { peers } = await network.first.get<{ peers: { id: string; lastSeen: number }[] }>('/v1/peers')
    const lastSeen = peers.find(({ id }) => id === killed.id)?.lastSeen ?? Number.NaN
    await pause(lastSeen + graceSeconds * 1000 - Date.now())
    const start = performance.now()
    // Totals that nobody has counted anew since would still say that all is well.
    await missed(network, killed.id, items)
    await provenAll(network, items)
    const seconds = (performance.now() - start) / 1000
    tell(`one of 5 nodes killed, ${items} items`, `${seconds.toFixed(1)} s`, 'from the end of its grace')
    return { heal_s: round(seconds, 1) }
  } finally {
    await network.close()
  }
}

export const heal: Part = { name: 'heal', keys: ['heal_s'], run }
