import {
  HolderIndex,
  NetworkView,
  ProofIndex,
  readAuditKey,
  tagOf,
  Unproven,
  type Accepted,
  type Graph,
  type Holdings,
  type HoldingState,
  type NodeId,
} from '@eldernode/core'
import type { Logger } from 'pino'
import { Trust } from '../claims/trust.ts'
import { ProofAges } from '../health/proof-ages.ts'
import { Slices } from '../slices.ts'
import { Roster } from './roster.ts'

export interface NetworkOptions {
  self: NodeId
  graph: Pick<Graph, 'admits' | 'entries' | 'get' | 'members' | 'operatorOf' | 'watch' | 'watchOutOfTime'>
  graceMs: number
  /** Milliseconds since 1970, and of a clock that nobody sets. */
  now: () => number
  clock: () => number
  /** What this node's own disk says of an item. */
  own(infoHash: string): HoldingState | undefined
  isPinned(infoHash: string): boolean
  /** Told when a member came, went, or changed in a way that moves placements. */
  moved(): void
  /** Told when a member is heard from for the first time. */
  appeared(id: NodeId): void
  /** Told when a suspected member is heard from again. */
  returned(): void
  /** Told of items that a member says something else of than before. */
  claimed(id: NodeId, infoHashes: readonly string[]): void
  /** Told of items whose proof at a member may be another than before. */
  proved(infoHashes: readonly string[]): void
  log: Logger
}

/** What this node hears of the others: who lives, what they say to hold, and what of it auditors found to be so. */
export class Network {
  readonly index = new HolderIndex()
  readonly proofs = new ProofIndex()
  readonly roster: Roster
  readonly unproven: Unproven
  readonly view: NetworkView
  readonly ages: ProofAges
  readonly #options: NetworkOptions
  readonly #trust: Trust
  readonly #watches: (() => void)[] = []

  constructor(options: NetworkOptions) {
    const { graph, moved } = options
    this.#options = options
    this.roster = new Roster({ ...options, operatorOf: (id) => graph.operatorOf(id), changed: () => moved() })
    this.unproven = new Unproven(options.clock, options.graceMs)
    const { index, proofs, unproven } = this
    this.view = new NetworkView({ ...options, presence: this.roster.presence, index, proofs, unproven })
    const others = (): NodeId[] => this.view.live.flatMap(({ id }) => (id === options.self ? [] : [id]))
    this.ages = new ProofAges({ ...options, others, index, proofs })
    this.#trust = new Trust({
      ...options,
      proofs,
      learn: (holdings) => this.#learn(holdings),
      forget: (id) => this.#forget(id),
      proved: (tags, key) => this.#proved(tags, key),
      changed: () => moved(),
    })
  }

  /** Begins to listen. */
  open(): void {
    const { graph } = this.#options
    this.#watches.push(
      graph.watch('h', (holdings) => this.#learn(holdings)),
      graph.watch('hb', (heartbeat) => this.roster.see(heartbeat)),
      graph.watchOutOfTime((id, ts) => this.roster.refused(id, ts)),
      graph.watch('p', () => this.judge()),
    )
    for (const heartbeat of graph.entries('hb')) this.roster.see(heartbeat)
  }

  /** Whether what is due by the wall clock may be done for good: a member without others goes by its own. */
  knowsTime(): boolean {
    const { graph, self } = this.#options
    for (const id of graph.members()) if (id !== self) return this.roster.presence.knowsTime()
    return true
  }

  /** Takes what was said before the last stop, with pauses. */
  async takeStock(): Promise<void> {
    const { graph } = this.#options
    const slices = new Slices()
    const newer = new Set<string>()
    const unwatch = graph.watch('h', ({ soul }) => newer.add(soul))
    for (const holdings of graph.entries('h')) {
      // What was read before a pause may be older than what was told since.
      if (!newer.has(holdings.soul)) this.#learn(holdings)
      if (slices.over) await slices.next()
    }
    unwatch()
    this.#watches.push(await this.#trust.start())
  }

  /** Whose word counts may have changed: a certificate came, or ran out. */
  judge(): void {
    this.#trust.refresh().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'what members said could not be read anew; tried again in a minute')
    })
  }

  close(): void {
    for (const end of this.#watches.splice(0)) end()
    this.roster.close()
  }

  /** The bucket is the last part of the soul; the key is the same for all. What this node holds it knows better. */
  #learn({ pub, soul, hidden, body }: Accepted<Holdings>): void {
    const { self, claimed } = this.#options
    if (pub === self || !this.#trust.believes(pub)) return
    claimed(pub, this.index.set(pub, soul.slice(soul.lastIndexOf('/') + 1), body, hidden))
  }

  #forget(id: NodeId): void {
    this.index.forget(id)
    this.roster.forget(id)
  }

  /** Results name items by their tags: they are found among what their holder claims. */
  #proved(tags: readonly string[], key: string): void {
    const place = readAuditKey(key)
    if (place === undefined) return
    const { graph, proved } = this.#options
    const wanted = new Set(tags)
    const claimed = [place.bucket, `x/${place.bucket}`].flatMap((bucket) => {
      const body = graph.get('h', place.holder, bucket)?.body
      return body === undefined ? [] : [...body.held, ...body.releasing]
    })
    proved(claimed.filter((infoHash) => wanted.has(tagOf(infoHash))))
  }
}
