import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Library } from './library/index.ts'
import type { Swarm } from './swarm/index.ts'

/** Peers are served from here on; what the graph says since the last stop is looked at afterwards. */
export async function offerAll(library: Library, swarm: Swarm): Promise<void> {
  let page: string[] = []
  for (const infoHash of library.servable()) {
    if (page.push(infoHash) < 1000) continue
    swarm.restore(page)
    page = []
    await nextTurn()
  }
  swarm.restore(page)
}
