import type { Ban } from '../ledger/index.ts'
import type { Swarms } from '../swarm/index.ts'
import { AccessGate, type AccessMode } from './gate.ts'
import { readHashFile } from './hash-file.ts'
import { InfoHashSet } from './info-hash-set.ts'
import { LedgerView } from './ledger-view.ts'
import { Passkeys } from './passkeys.ts'

/** Paths, empty for none. */
export interface AccessFiles {
  allow: string
  deny: string
}

export interface AccessOptions {
  mode: AccessMode
  /** Whether lists and keys of a ledger are to come. */
  hasLedger: boolean
  swarms: Swarms
  onBan: (ban: Ban) => void
  /** From 0 to below 1, unforeseeable. */
  random: () => number
}

/** What somebody says to be allowed and denied. */
interface Lists {
  readonly allowed: InfoHashSet
  readonly denied: InfoHashSet
}

/** Who may use this tracker: files, the network and the ledger, each with lists of its own, behind one gate. */
export class Access {
  readonly gate: AccessGate
  /** What the ledger says goes in here, and totals come out. */
  readonly ledger: LedgerView
  /** Filled by who follows the network's graph. */
  readonly network: Lists & { isReady: boolean }
  readonly #files: Lists
  readonly #sources: readonly Lists[]
  readonly #areListsReady: () => boolean
  readonly #random: () => number
  // Of two that read files at once the one that began later counts.
  #reads = 0

  constructor({ mode, hasLedger, swarms, onBan, random }: AccessOptions) {
    this.#random = random
    const keys = new Passkeys()
    const lists = (): Lists => ({ allowed: new InfoHashSet(random), denied: new InfoHashSet(random) })
    const shared = lists()
    this.#files = lists()
    this.network = { ...lists(), isReady: true }
    this.ledger = new LedgerView({ keys, ...shared, swarms, onBan, random })
    const sources = [this.network, this.#files, shared]
    this.#sources = sources
    this.#areListsReady = () => this.network.isReady && (!hasLedger || this.ledger.isComplete)
    this.gate = new AccessGate({
      mode,
      listed: sources.map(({ allowed }) => allowed),
      denied: sources.map(({ denied }) => denied),
      keys,
      areListsReady: this.#areListsReady,
      areKeysReady: () => this.ledger.isComplete,
    })
  }

  /** Another number whenever something may be served no longer. */
  get withdrawn(): number {
    let changes = this.#areListsReady() ? 1 : 0
    for (const { allowed, denied } of this.#sources) changes += allowed.removals + denied.additions
    return changes
  }

  /** Reads the files; both of them, or nothing changes. Rejects with `HashFileError`. @returns how many each names */
  async read({ allow, deny }: AccessFiles): Promise<{ allowed: number; denied: number }> {
    const read = ++this.#reads
    const allowed = await readHashFile('access.allow', allow, this.#random)
    const denied = await readHashFile('access.deny', deny, this.#random)
    if (read === this.#reads) {
      this.#files.allowed.replaceWith(allowed)
      this.#files.denied.replaceWith(denied)
    }
    return { allowed: allowed.size, denied: denied.size }
  }
}
