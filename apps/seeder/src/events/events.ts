import type { Graph, NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import type { Library } from '../library/index.ts'
import type { Permits } from './audience.ts'
import { countedCopies, type CopyCounts } from './copies.ts'
import { CopyWatch } from './copy-watch.ts'
import { Courier } from './courier.ts'
import { Journal } from './journal.ts'
import { watchPublications } from './publications.ts'
import { Webhooks } from './webhooks.ts'

export interface EventsOptions {
  self: NodeId
  graph: Pick<Graph, 'watch'>
  library: Pick<Library, 'head' | 'events' | 'webhooks' | 'record'>
  /** How webhooks are reached. */
  egress: Pick<Egress, 'dispatcher'>
  copies: CopyCounts
  /** Whether an owner's tokens still let it listen. */
  permits: Permits
  log: Pick<Logger, 'warn' | 'error'>
  now: () => number
}

export interface EventRoom {
  journal: Journal
  webhooks: Webhooks
  /** Begins to count copies and to bring events to webhooks, once the network is known. */
  start(): void
  close(): Promise<void>
}

/** Publications are seen from here on. */
export function createEvents({ self, graph, library, egress, copies, permits, log, now }: EventsOptions): EventRoom {
  const journal = new Journal({ store: library.events, log })
  const courier = new Courier({
    node: self.slice(0, 12),
    store: library.webhooks,
    journal,
    dispatcher: egress.dispatcher,
    permits,
    log,
    now,
    random: Math.random,
  })
  const watch = new CopyWatch({
    journal,
    copies: (infoHash) => countedCopies(copies, self, infoHash),
    onChange: (listener) => copies.onLevel(({ infoHash }) => listener(infoHash)),
    isSettled: () => copies.stats().settled,
    now,
  })
  const unwatch = watchPublications({
    self,
    graph,
    library,
    journal,
    published: (infoHash) => watch.touch(infoHash),
    now,
  })
  return {
    journal,
    webhooks: new Webhooks({ store: library.webhooks, journal, nudge: (id) => courier.nudge(id), permits, now }),
    start: () => {
      watch.start()
      courier.start()
    },
    close: async () => {
      unwatch()
      watch.close()
      await courier.close()
      journal.close()
    },
  }
}
