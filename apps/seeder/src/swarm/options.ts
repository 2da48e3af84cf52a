import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import type { ItemLimits, PieceLedger, Shelf, SwarmLimits } from './port.ts'

export interface SwarmOptions {
  /** TCP port for peers; 0 lets the system choose one. */
  port: number
  /** Address to listen on; every one when absent. */
  host?: string
  /** Announce URLs (http, https, udp, ws, wss) of this node's own trackers. */
  trackers: readonly string[]
  /** STUN and TURN URLs; without any, browsers behind the same kind of address translation cannot be reached. */
  iceServers?: readonly string[]
  /** Those of the first moment, as far as they differ from the defaults. */
  limits?: Partial<SwarmLimits>
  /** What an item's own limits are; none when absent. */
  itemLimits?: (infoHash: string) => ItemLimits
  shelf: Shelf
  ledger?: PieceLedger
  egress: Egress
  logger: Logger
  /** Milliseconds, never backwards. */
  now?: () => number
}

/** For those who do not want to know. */
export const noLedger: PieceLedger = {
  bad: () => {},
  mended: () => {},
  unwritable: () => {},
  failed: () => {},
  isHere: () => Promise.resolve(true),
  verified: () => {},
}
