import { wantedHolders, type HolderIndex, type Manifest, type NodeId } from '@eldernode/core'
import type { Share } from './reconciler.ts'
import type { Roster } from '../members/roster.ts'

export interface PlacementShareOptions {
  self: NodeId
  roster: Pick<Roster, 'candidates'>
  index: Pick<HolderIndex, 'stateOf' | 'nodesWith'>
  /** Whether this node has the item whole on its own disk. */
  has(infoHash: string): boolean
  /** Whether this node leaves the item alone for now. */
  refuses(infoHash: string): boolean
  /** Whether the links are in step, so that the graph can be believed. */
  inStep(): boolean
  /** Whether the quiet time after the start is over, in which nothing is repaired. */
  settled(): boolean
}

/** Asks core's placement which items this node should hold. */
export class PlacementShare implements Share {
  readonly #options: PlacementShareOptions

  constructor(options: PlacementShareOptions) {
    this.#options = options
  }

  wants({ infoHash, size, replicas }: Manifest, publisher: NodeId): boolean {
    const { self, roster, index, has, refuses } = this.#options
    const wish = { infoHash, size, publishers: [publisher], target: replicas.target }
    const wanted = wantedHolders(wish, roster.candidates(), {
      holds: (id) => (id === self ? has(infoHash) : index.stateOf(id, infoHash) === 'held'),
      refused: (id) => (id === self ? refuses(infoHash) : index.stateOf(id, infoHash) === 'refused'),
      skipped: () => false,
    })
    return wanted.includes(self)
  }

  /**
   * Right after a start few members have been heard from, so many items seem to lack a holder. An item that was never
   * copied often enough is fetched at once; replacing a holder that merely was not heard yet waits.
   */
  mayFetch({ infoHash, replicas }: Manifest): boolean {
    const { index, inStep, settled } = this.#options
    return inStep() && (settled() || index.nodesWith(infoHash, 'held').length < replicas.target)
  }
}
