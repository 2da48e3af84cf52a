import type { Raised } from './alarms.ts'
import { Falls } from './falls.ts'
import type { Change } from './repair-times.ts'

export interface Watched {
  totals(): { levels: Readonly<Record<'lost' | 'below-min', { items: number; bytes: number }>> }
  onLevel(listener: (change: Change & { size: number }) => void): () => void
  stats(): { clockBehind: boolean; clockOff: boolean; live: number; settled: boolean }
}

/** Milliseconds that an item may stand low before anybody is called: its copies and their audits take some seconds. */
const patienceMs = 60_000

/** @returns what is wrong with the network's items, and with this node's part in keeping them, whenever it is asked */
export function replicationAlarms(replication: Watched, now: () => number): () => Raised[] {
  const falls = new Falls(patienceMs, now)
  replication.onLevel((change) => falls.see(change))
  return () => raisedBy(replication, falls)
}

function raisedBy(replication: Watched, falls: Falls): Raised[] {
  const { levels } = replication.totals()
  const { clockBehind, clockOff, live, settled } = replication.stats()
  const raised: Raised[] = []
  const { lost, 'below-min': belowMin } = falls.lasting(levels)
  const low = { items: lost.items + belowMin.items, bytes: lost.bytes + belowMin.bytes }
  if (live <= 1) {
    // Nobody is there to prove a copy, so that nothing can be said of the items one by one.
    if (settled && low.items > 0) {
      raised.push({
        code: 'alone',
        detail: `No other member is heard from: ${described(low)} can be neither proven nor copied. Let others join, or see why they are silent.`,
      })
    }
  } else if (lost.items > 0) {
    raised.push({
      code: 'lost',
      detail: `No living member is proven to hold ${described(lost)}: bring back a node that has them (/v1/replication?level=lost).`,
    })
  }
  if (live > 1 && belowMin.items > 0) {
    raised.push({
      code: 'below_min',
      detail: `Fewer copies than they must have are proven of ${described(belowMin)} (/v1/replication?level=below-min).`,
    })
  }
  if (clockBehind) {
    raised.push({
      code: 'clock_behind',
      detail:
        'The clock lies more than 5 minutes behind what this node signed: nothing is published until it is right.',
    })
  }
  if (clockOff) {
    raised.push({
      code: 'clock_off',
      detail:
        "Most members' clocks lie more than 4 minutes from this node's: from 5 on neither hears the other. Nothing is repaired, released, purged or expired here until they agree: set the clock.",
    })
  }
  return raised
}

const described = ({ items, bytes }: { items: number; bytes: number }): string =>
  `${items} ${items === 1 ? 'item' : 'items'} (${bytes} bytes)`
