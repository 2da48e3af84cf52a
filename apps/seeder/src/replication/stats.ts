import type { Care } from './deciding/care.ts'
import type { Intake } from './intake.ts'
import type { Gate } from './members/gate.ts'
import type { Heart } from './members/heart.ts'
import type { Network } from './members/network.ts'
import type { ReplicationStats } from './port.ts'

export interface Counted {
  intake: Intake
  care: Care
  network: Network
  gate: Gate
  heart: Heart
}

/** What the parts of this folder have counted. */
export function statsOf({ intake, care, network, gate, heart }: Counted): ReplicationStats {
  return {
    ...intake.copying.stats(),
    mending: intake.mending.items,
    released: care.released.items,
    releasedBytes: care.released.bytes,
    live: network.roster.size,
    inStep: gate.inStep,
    settled: gate.settled,
    clockBehind: heart.clockBehind,
    clockOff: network.roster.presence.isClockOff(),
  }
}
