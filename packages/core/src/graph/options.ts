import type { Identity, NodeId, Verifier } from '../identity/index.ts'
import type { CompatStore } from './compat/port.ts'
import type { Dial, GraphStore, Kind } from './port.ts'

export interface GraphOptions {
  network: {
    /** The first owner's public key; the network's id follows from it. */
    owner: NodeId
    /** Admits everybody: for trials only. */
    open?: boolean
  }
  /** This node. */
  identity: Identity
  /** The network owner's key, on the one node that has it. */
  owner?: Identity
  /** One that answers at once saves a promise per value, where the platform has it. */
  verifier: Verifier
  store: GraphStore
  dial: Dial
  /** ws:// or wss:// URLs of `/gun` that this node always links to. */
  peers: readonly string[]
  /**
   * The kinds that this node takes; all of them where none are named. The others are neither fetched nor checked nor
   * passed on, and such a node tells no sums: it could not answer for what it left out.
   */
  keeps?: readonly Kind[]
  /** Where the public maps of other clients lie; without it there are none. */
  compat?: CompatStore
  /** Told of failures that no caller waits for: of the store and of watchers. */
  onFault(error: unknown): void
  now?: () => number
  /** A number within 0 and 1, for jitter and the choice of neighbours. */
  random?: () => number
}
