import type { Care } from './deciding/care.ts'
import type { Mending } from './deciding/mending.ts'
import type { Copying } from './fetching/copying.ts'
import type { Gate } from './members/gate.ts'
import type { Heart } from './members/heart.ts'
import type { Network } from './members/network.ts'
import type { ReplicationStats } from './port.ts'

export interface Counted {
  copying: Copying
  mending: Mending
  care: Care
  network: Network
  gate: Gate
  heart: Heart
}

/** What the parts of this folder have counted. */
export function statsOf({ copying, mending, care, network, gate, heart }: Counted): ReplicationStats {
  return {
    ...copying.stats(),
    mending: mending.items,
    released: care.released.items,
    releasedBytes: care.released.bytes,
    live: network.roster.size,
    inStep: gate.inStep,
    settled: gate.settled,
    clockBehind: heart.clockBehind,
    clockOff: network.roster.presence.isClockOff(),
  }
}
