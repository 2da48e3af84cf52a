/** Most peers in one answer, of each address family. */
export const mostPeers = 200

/** What one announce brought. Filled anew by each, like `Announce`. */
export class Answer {
  /** Why it was refused, in words for the client; empty when it was not. */
  refusal = ''
  complete = 0
  incomplete = 0
  /** Peers of the announcer's own kind: numbers that `Swarms` knows the addresses of, or those of clients. */
  readonly peers = new Int32Array(mostPeers)
  count = 0
  /** Peers of the other address family (BEP 7), as far as the wish for peers leaves room. */
  readonly others = new Int32Array(mostPeers)
  otherCount = 0

  refuse(reason: string): void {
    this.refusal = reason
    this.complete = 0
    this.incomplete = 0
    this.count = 0
    this.otherCount = 0
  }
}

/** Counts of one torrent (BEP 48, `downloaders` by BEP 21). */
export interface Counts {
  complete: number
  incomplete: number
  /** Peers that were seen to become complete. */
  downloaded: number
  /** Those of the incomplete that still fetch. */
  downloaders: number
}
