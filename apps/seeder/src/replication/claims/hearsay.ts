import type { Accepted, HolderIndex, Holdings, NodeId } from '@eldernode/core'
import type { Transfers } from '../fetching/transfers.ts'

export interface HearsayOptions {
  self: NodeId
  index: Pick<HolderIndex, 'set' | 'stateOf'>
  /** Items to be fetched. */
  transfers: Pick<Transfers, 'waiting' | 'hurry'>
  /** Items of which pieces are to be mended. */
  mending: Pick<Transfers, 'waiting' | 'hurry'>
  /** Told of items whose state at another member changed. */
  changed(infoHashes: readonly string[]): void
}

/** Takes what members say that they hold, and has what waits for a source tried sooner. */
export class Hearsay {
  readonly #options: HearsayOptions

  constructor(options: HearsayOptions) {
    this.#options = options
  }

  /** The bucket is the last part of the soul; the key is the same for all. */
  learn({ pub, soul, hidden, body }: Accepted<Holdings>): void {
    const { self, index, transfers, changed } = this.#options
    // What this node holds it knows better.
    if (pub === self) return
    const infoHashes = index.set(pub, soul.slice(soul.lastIndexOf('/') + 1), body, hidden)
    for (const infoHash of infoHashes) if (index.stateOf(pub, infoHash) === 'held') transfers.hurry(infoHash)
    changed(infoHashes)
  }

  /** A member is heard from that was not before: it may have what waits here for a source. */
  welcome(id: NodeId): void {
    const { index, transfers, mending } = this.#options
    for (const { infoHash, publisher } of transfers.waiting()) {
      if (publisher === id || index.stateOf(id, infoHash) === 'held') transfers.hurry(infoHash)
    }
    for (const { infoHash } of mending.waiting()) mending.hurry(infoHash)
  }
}
