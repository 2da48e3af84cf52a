import type { Ban, Change, KeyTotals, LedgerSink, TotalsSource } from '../ledger/index.ts'
import type { Swarms } from '../swarm/index.ts'
import { InfoHashSet } from './info-hash-set.ts'
import { infoHashWords } from './info-hash-words.ts'
import type { Passkeys } from './passkeys.ts'

export interface LedgerViewOptions {
  keys: Passkeys
  allowed: InfoHashSet
  denied: InfoHashSet
  swarms: Pick<Swarms, 'takeOut' | 'keys' | 'takeTotals' | 'takeTotalsOf'>
  onBan: (ban: Ban) => void
  random: () => number
}

/** Peers of a revoked key that are taken out before others get their turn. */
const perTurn = 5000

/** Keys whose last totals wait to be taken to the ledger; those beyond are lost. */
const maxFarewells = 10_000

/** What a fresh ledger has told so far. */
interface Fresh {
  ids: Set<number>
  allowed: InfoHashSet
  denied: InfoHashSet
}

/** What the ledger says, in memory, as the gate asks for it. Peers of a revoked key are taken out at once. */
export class LedgerView implements LedgerSink, TotalsSource {
  readonly #options: LedgerViewOptions
  readonly #words = new Int32Array(5)
  #farewells: KeyTotals[] = []
  #fresh: Fresh | undefined
  #isComplete = false

  constructor(options: LedgerViewOptions) {
    this.#options = options
  }

  /** Whether it was told all there is, once. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  begin(): void {
    const { random } = this.#options
    this.#fresh = { ids: new Set(), allowed: new InfoHashSet(random), denied: new InfoHashSet(random) }
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'key') this.#applyKey(change)
      else if (change.kind === 'ban') this.#options.onBan({ network: change.network, until: change.until })
      else this.#applyListing(change)
    }
  }

  complete(): void {
    const { keys, allowed, denied, swarms } = this.#options
    const fresh = this.#fresh
    this.#fresh = undefined
    this.#isComplete = true
    if (fresh === undefined) return
    allowed.replaceWith(fresh.allowed)
    denied.replaceWith(fresh.denied)
    for (const id of keys.ids()) if (!fresh.ids.has(id)) this.#revoke(id)
    // Peers of a snapshot may have come with a key that was revoked meanwhile.
    for (const id of swarms.keys()) if (!keys.has(id)) this.#takeOut(id)
  }

  takeTotals(most: number): KeyTotals[] {
    const totals = this.#farewells.splice(0, most)
    this.#options.swarms.takeTotals(most - totals.length, (id, uploaded, downloaded) =>
      totals.push({ id, uploaded, downloaded }),
    )
    return totals
  }

  #applyKey({ id, hash, isRevoked }: Extract<Change, { kind: 'key' }>): void {
    if (isRevoked) return this.#revoke(id)
    const { keys } = this.#options
    // A ledger that lost what it knew gives its numbers anew.
    if (keys.hashOf(id) !== hash) this.#revoke(id)
    this.#fresh?.ids.add(id)
    keys.put(id, hash)
  }

  #applyListing({ kind, infoHash, isListed }: Extract<Change, { isListed: boolean }>): void {
    const words = this.#words
    if (!infoHashWords(infoHash, words)) return
    const sets = [this.#options[kind], this.#fresh?.[kind]]
    for (const set of sets) {
      if (isListed) set?.add(words)
      else set?.remove(words)
    }
  }

  #revoke(id: number): void {
    const { keys, swarms } = this.#options
    this.#fresh?.ids.delete(id)
    if (!keys.remove(id)) return
    swarms.takeTotalsOf(id, (_id, uploaded, downloaded) => {
      if (this.#farewells.length < maxFarewells) this.#farewells.push({ id, uploaded, downloaded })
    })
    this.#takeOut(id)
  }

  #takeOut(id: number): void {
    if (this.#options.swarms.takeOut(id, perTurn)) setImmediate(() => this.#takeOut(id))
  }
}
