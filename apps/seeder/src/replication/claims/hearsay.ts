import type { HolderIndex, NodeId } from '@eldernode/core'
import type { Job } from '../fetching/job.ts'
import type { Transfers } from '../fetching/transfers.ts'

export interface HearsayOptions {
  index: Pick<HolderIndex, 'stateOf'>
  /** Items to be fetched. */
  transfers: Pick<Transfers, 'waiting' | 'hurry'>
  /** Items of which pieces are to be mended. */
  mending: Pick<Transfers, 'waiting' | 'hurry'>
}

/** Has what waits for a source tried sooner when somebody has it who had it not before. */
export class Hearsay {
  readonly #options: HearsayOptions

  constructor(options: HearsayOptions) {
    this.#options = options
  }

  /** A member says something else of these items than before. */
  claimed(id: NodeId, infoHashes: readonly string[]): void {
    const { index, transfers } = this.#options
    transfers.hurry(infoHashes.filter((infoHash) => index.stateOf(id, infoHash) === 'held'))
  }

  /** A member is heard from that was not before: it may have what waits here for a source. */
  welcome(id: NodeId): void {
    const { index, transfers, mending } = this.#options
    const mayHave = ({ infoHash, publisher }: Job): boolean =>
      publisher === id || index.stateOf(id, infoHash) === 'held'
    transfers.hurry([...transfers.waiting()].filter(mayHave).map(({ infoHash }) => infoHash))
    mending.hurry([...mending.waiting()].map(({ infoHash }) => infoHash))
  }
}
