import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Library, StorageState } from './library/index.ts'
import type { Swarm } from './swarm/index.ts'

/** Peers are served from here on; what the graph says since the last stop is looked at afterwards. */
export async function offerAll(library: Library, swarm: Swarm): Promise<void> {
  const { items } = library.totals()
  let page: string[] = []
  for (const infoHash of library.servable()) {
    if (page.push(infoHash) < 1000) continue
    swarm.restore(page, items)
    page = []
    await nextTurn()
  }
  swarm.restore(page, items)
}

/** The same after the disk with the items went away or came back. Never rejects. */
export async function offerAgain(
  state: StorageState,
  library: Library,
  swarm: Swarm,
  log: Pick<Logger, 'error'>,
): Promise<void> {
  if (state !== 'here') return
  try {
    await offerAll(library, swarm)
  } catch (error) {
    log.error({ err: error }, 'not all items could be offered to peers at once')
  }
}
