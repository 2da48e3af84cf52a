import type { Announce, Answer, Counts, Swarms } from '../swarm/index.ts'
import type { Entrance, Gate } from './port.ts'

/** The swarms of this process behind its gate. */
export class GuardedSwarms implements Entrance {
  readonly #swarms: Swarms
  readonly #gate: Gate

  constructor(swarms: Swarms, gate: Gate) {
    this.#swarms = swarms
    this.#gate = gate
  }

  announce(word: Announce, answer: Answer): void {
    const refusal = this.#gate.refusalOf(word.infoHash, word.key)
    if (refusal === '') this.#swarms.announce(word, answer)
    else answer.refuse(refusal)
  }

  counts(infoHash: Int32Array, key: number, into: Counts): void {
    if (this.#gate.refusalOf(infoHash, key) === '') return this.#swarms.counts(infoHash, into)
    into.complete = 0
    into.incomplete = 0
    into.downloaded = 0
    into.downloaders = 0
  }
}
