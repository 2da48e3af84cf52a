import type { Raised } from './alarms.ts'

export interface Watched {
  totals(): { levels: Readonly<Record<'lost' | 'below-min', { items: number; bytes: number }>> }
  stats(): { clockBehind: boolean }
}

/** What is wrong with the network's items, and with this node's part in keeping them. */
export function replicationAlarms(replication: Watched): Raised[] {
  const { levels } = replication.totals()
  const raised: Raised[] = []
  const { lost, 'below-min': belowMin } = levels
  if (lost.items > 0) {
    raised.push({
      code: 'lost',
      detail: `No living member is proven to hold ${described(lost)}: bring back a node that has them (/v1/replication?level=lost).`,
    })
  }
  if (belowMin.items > 0) {
    raised.push({
      code: 'below_min',
      detail: `Fewer copies than they must have are proven of ${described(belowMin)} (/v1/replication?level=below-min).`,
    })
  }
  if (replication.stats().clockBehind) {
    raised.push({
      code: 'clock_behind',
      detail:
        'The clock lies more than 5 minutes behind what this node signed: nothing is published until it is right.',
    })
  }
  return raised
}

const described = ({ items, bytes }: { items: number; bytes: number }): string =>
  `${items} ${items === 1 ? 'item' : 'items'} (${bytes} bytes)`
