import { HashSlots } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import type { HoldingsNotice } from './holdings-notice.ts'
import { Refusals } from './refusals.ts'
import { recall } from './stock.ts'

export interface DeclinedOptions {
  library: Pick<Library, 'forgive' | 'get' | 'refuse' | 'refused'>
  notice: Pick<HoldingsNotice, 'drop' | 'refuse'>
  /** Told when an item may be tried again. */
  forgiven(infoHash: string): void
  now: () => number
}

const operatorsChoiceMs = 86_400_000

/** Items of which no copy is made here, for a while or until they are asked for again, and the network is told so. */
export class Declined {
  readonly #options: DeclinedOptions
  readonly #refusals: Refusals
  /** At about 30 bytes each, and no more than there are items that somebody publishes. */
  readonly #barred = new HashSlots()

  constructor(options: DeclinedOptions) {
    this.#options = options
    this.#refusals = new Refusals({ forgiven: (infoHash) => this.#forgive(infoHash) })
  }

  has(infoHash: string): boolean {
    return this.#refusals.has(infoHash) || this.isBarred(infoHash)
  }

  /** Keeps an item away until `retry`. */
  bar(infoHash: string): void {
    this.#barred.add(infoHash)
    this.#options.notice.refuse(infoHash)
  }

  isBarred(infoHash: string): boolean {
    return this.#barred.size > 0 && this.#barred.find(infoHash) !== undefined
  }

  /** What is kept away until `retry`. */
  *barred(): Generator<string> {
    for (const [infoHash] of this.#barred) yield infoHash
  }

  /** Takes what the operator removed before a restart. */
  recall(): void {
    recall(this.#options, (infoHash, forMs) => this.#always(infoHash, Math.min(forMs, operatorsChoiceMs)))
  }

  add(infoHash: string, forMs: number): void {
    if (this.#refusals.add(infoHash, forMs)) this.#options.notice.refuse(infoHash)
  }

  /** The operator removed this node's copy: a restart does not forget it. */
  leave(infoHash: string): void {
    const now = this.#options.now()
    this.#options.library.refuse(infoHash, now + operatorsChoiceMs, now)
    this.#always(infoHash, operatorsChoiceMs)
  }

  /** Its bytes came another way. */
  claim(infoHash: string): void {
    this.#barred.delete(infoHash)
    if (this.#refusals.delete(infoHash)) this.#options.library.forgive(infoHash)
  }

  /** Somebody asks for another try. What the operator removed stays away. */
  retry(infoHash: string): void {
    const { library, notice, now } = this.#options
    const wasBarred = this.isBarred(infoHash)
    this.#barred.delete(infoHash)
    if (this.#refusals.has(infoHash)) {
      if (library.refused(now()).some((one) => one.infoHash === infoHash)) return
      this.#refusals.delete(infoHash)
    } else if (!wasBarred) return
    notice.drop(infoHash)
  }

  close(): void {
    this.#refusals.close()
  }

  #always(infoHash: string, forMs: number): void {
    this.#refusals.add(infoHash, forMs, true)
    this.#options.notice.refuse(infoHash)
  }

  #forgive(infoHash: string): void {
    if (this.isBarred(infoHash)) return
    this.#options.notice.drop(infoHash)
    this.#options.forgiven(infoHash)
  }
}
