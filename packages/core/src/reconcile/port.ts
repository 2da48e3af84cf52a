import type { Claim } from '../holdings/index.ts'
import type { NodeId } from '../identity/index.ts'
import type { Candidate } from '../placement/index.ts'
import type { Proof } from '../proof/index.ts'

/** What the live manifests of an item ask for, all publishers together. */
export interface Demand {
  /** 40 hex digits. */
  infoHash: string
  /** Bytes. */
  size: number
  /** Whose manifest is live; in place of a lost key its successor. */
  publishers: readonly NodeId[]
  /** Of several publishers the greatest of each counts. Copies include the publisher's. */
  min: number
  target: number
  /** Milliseconds since 1970 of the oldest live manifest. */
  since: number
  /** Whether as many copies as the target were claimed before: what lacks now was lost, and is not merely new. */
  reached: boolean
}

/** What one node knows of the network at one moment. All of it is memory: no question costs a query. */
export interface View {
  self: NodeId
  /** Milliseconds since 1970. */
  now: number
  /** Members with a heartbeat younger than the grace time, this node included. */
  live: readonly Candidate[]
  /** A live member. */
  member(id: NodeId): Candidate | undefined
  /** Whether three heartbeats of a member were missed. */
  isSuspected(id: NodeId): boolean
  /** What members say of an item, one claim a member, dead ones included; of this node what its own disk says. */
  claimsOf(infoHash: string): readonly Claim[]
  proofOf(id: NodeId, infoHash: string): Proof
  /** How often a wanted holder was unproven for so long that another is chosen in its place. */
  vain(id: NodeId, infoHash: string): number
  /** Items that this node holds whatever placement says. */
  isPinned(infoHash: string): boolean
  /**
   * Whether this node has listened long enough, to a network whose clocks agree with its own, to conclude from what it
   * does not see. While it is false nothing is repaired and nothing is released.
   */
  settled: boolean
}

/** A copy that somebody says to have. */
export interface Copy {
  id: NodeId
  state: 'held' | 'releasing'
  proof: Proof
  /** Heard from within the grace time. */
  live: boolean
  suspected: boolean
  /** About to leave: its copy serves, and stands for none of the target's. */
  draining: boolean
}

/** How one item stands: the same on every node with the same view. */
export interface Assessment {
  /** Who should hold it, best first. */
  wanted: NodeId[]
  copies: Copy[]
  /** Live copies that are proven and not about to be released. */
  proven: number
  /** Copies that lack until the target. */
  missing: number
  /** `lost`: no copy is proven, whatever is claimed; `surplus`: more live copies than the target, which is proven. */
  level: 'lost' | 'below-min' | 'below-target' | 'at-target' | 'surplus'
  /** How many zones or operators, whichever is worse, may be lost together before no proven copy is left. */
  survives: number
}

/** What this node has to do about an item. */
export type Duty =
  | { do: 'nothing' }
  /** `urgent`: below min; `repair`: a copy that was there before, so bounded and jittered; `rarity`: proven copies now. */
  | { do: 'fetch'; urgent: boolean; repair: boolean; rarity: number }
  /** It holds the item and is wanted, or may not go yet. */
  | { do: 'keep' }
  /**
   * It holds the item and is not wanted: marks it, waits, and goes when it still may. `sure`: as many others as the
   * target are not suspected either, without which it does not go.
   */
  | { do: 'release'; sure: boolean }
