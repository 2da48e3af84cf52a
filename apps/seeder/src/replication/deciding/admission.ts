import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import { offerOf, type Policy } from '../../policy/index.ts'
import type { Publications } from './publications.ts'
import type { Serving } from './serving.ts'

export interface AdmissionOptions {
  library: Pick<Library, 'condition' | 'isPaused' | 'storage'>
  publications: Pick<Publications, 'of' | 'stands'>
  policy: Pick<Policy, 'objection'>
  serving: Pick<Serving, 'offerInPart'>
  /** Bytes of copies of others' items that are here or on their way. */
  copied(): number
  /** Tells the network that no copy is made here, for a while. */
  refuse(infoHash: string, forMs: number): void
  /** Has an item brought in line that is here already. */
  touch(infoHash: string): void
  log: Logger
}

/** Milliseconds after which what the policy kept away is looked at again: its publisher may have changed it. */
const policyFor = 3_600_000

/** Whether the bytes of an item that is wanted here, and not held, may be fetched. */
export class Admission {
  readonly #options: AdmissionOptions
  /** What the policy kept away, some of it no more. */
  #kept = new Set<string>()

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

  /** The policy is another one. @returns what the former one kept away */
  reconsider(): Iterable<string> {
    const kept = this.#kept
    this.#kept = new Set()
    return kept
  }

  #objects(infoHash: string): boolean {
    const { publications, policy, copied, refuse, log } = this.#options
    const live = publications.of(infoHash).filter(({ manifest }) => publications.stands(manifest))
    const [first] = live
    if (first === undefined) return true
    const publishers = live.map(({ publisher }) => publisher)
    const objection = policy.objection(offerOf(first.manifest, publishers), copied)
    if (objection === undefined) {
      this.#kept.delete(infoHash)
      return false
    }
    log.info({ infoHash, objection }, 'no copy is made here: the policy of this node does not want it')
    refuse(infoHash, policyFor)
    this.#kept.add(infoHash)
    return true
  }
}
