import { HashSlots } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import { offerOf, type Objection, type Policy } from '../../policy/index.ts'
import type { Declined } from '../claims/declined.ts'
import type { Publication, Publications } from './publications.ts'
import type { Serving } from './serving.ts'

export interface AdmissionOptions {
  library: Pick<Library, 'condition' | 'isPaused' | 'storage'>
  publications: Pick<Publications, 'of' | 'stands'>
  policy: Pick<Policy, 'objection' | 'hasRoom'>
  serving: Pick<Serving, 'offerInPart'>
  /** Bytes of copies of others' items that are here or on their way. */
  copied(): number
  /** Keeps away what the policy objects to, and tells the network so. */
  declined: Pick<Declined, 'bar' | 'isBarred' | 'barred' | 'retry'>
  /** Bytes of an item that somebody publishes. */
  sizeOf(infoHash: string): number | undefined
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
  /** Has an item brought in line that is here already. */
  touch(infoHash: string): void
  log: Logger
}

/** Milliseconds between two looks whether what had no room has some now. */
const roomEvery = 300_000

/** Whether the bytes of an item that is wanted here, and not held, may be fetched. */
export class Admission {
  readonly #options: AdmissionOptions
  /** Of what is kept away, that for which the policy leaves no room. */
  #crowded = new HashSlots()
  /** Most bytes of copies since room was last looked for. */
  #most = 0
  #lookedAt = -Infinity

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  admits(infoHash: string): boolean {
    const { library, serving, touch, log } = this.#options
    if (library.storage().state !== 'here' || library.isPaused(infoHash)) return false
    const condition = library.condition(infoHash)
    if (condition === 'patchy') {
      // Mended in place: the others of its pieces are right.
      serving.offerInPart(infoHash).catch((error: unknown) => log.error({ err: error, infoHash }, 'not offered'))
    } else if (condition === 'held') {
      touch(infoHash)
    }
    // Bytes that may turn out to be right are not fetched a second time.
    return (condition === undefined || condition === 'damaged') && !this.#objects(infoHash)
  }

  /** The policy is another one: what the former one kept away is to be asked for again. */
  reconsider(): void {
    const { declined } = this.#options
    this.#crowded = new HashSlots()
    for (const infoHash of declined.barred()) declined.retry(infoHash)
  }

  /** An item's manifest may have changed, or nobody publishes it any more. */
  review(infoHash: string): void {
    if (!this.#options.declined.isBarred(infoHash)) return
    const objection = this.#objection(this.#live(infoHash))
    if (objection === undefined) this.#forget(infoHash)
    else this.#bar(infoHash, objection)
  }

  /** Has what there was no room for asked for again once copies have gone, as much of it as there is room for now. */
  tick(): void {
    const { copied, clock, sizeOf, policy, touch } = this.#options
    if (this.#crowded.size === 0 || clock() - this.#lookedAt < roomEvery) return
    let bytes = copied()
    if (bytes >= this.#most) return
    this.#most = bytes
    this.#lookedAt = clock()
    for (const [infoHash] of this.#crowded) {
      const size = sizeOf(infoHash) ?? 0
      if (!policy.hasRoom(size, bytes)) continue
      bytes += size
      this.#forget(infoHash)
      touch(infoHash)
    }
  }

  #objects(infoHash: string): boolean {
    const live = this.#live(infoHash)
    const objection = this.#objection(live)
    if (objection === undefined) return live.length === 0
    const what = { infoHash, objection }
    this.#options.log.debug(what, 'no copy is made here: the policy of this node does not want it')
    this.#bar(infoHash, objection)
    return true
  }

  #bar(infoHash: string, objection: Objection): void {
    const { declined, copied } = this.#options
    declined.bar(infoHash)
    if (objection !== 'policy_bytes') return this.#crowded.delete(infoHash)
    this.#crowded.add(infoHash)
    this.#most = Math.max(this.#most, copied())
  }

  #live(infoHash: string): Publication[] {
    const { publications } = this.#options
    return publications.of(infoHash).filter(({ manifest }) => publications.stands(manifest))
  }

  #objection(live: readonly Publication[]): Objection | undefined {
    const { policy, copied } = this.#options
    const [first] = live
    const publishers = live.map(({ publisher }) => publisher)
    return first && policy.objection(offerOf(first.manifest, publishers), copied)
  }

  #forget(infoHash: string): void {
    this.#crowded.delete(infoHash)
    this.#options.declined.retry(infoHash)
  }
}
