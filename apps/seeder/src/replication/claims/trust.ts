import type { Accepted, AuditResult, Graph, Holdings, NodeId, ProofIndex } from '@eldernode/core'
import { Slices } from '../slices.ts'

export interface TrustOptions {
  self: NodeId
  graph: Pick<Graph, 'admits' | 'entries' | 'members' | 'watch'>
  proofs: Pick<ProofIndex, 'epoch' | 'set' | 'trust'>
  /** Milliseconds since 1970. */
  now: () => number
  /** Takes what a member says that it holds. */
  learn(holdings: Accepted<Holdings>): void
  /** Drops all that a node said of itself. */
  forget(node: NodeId): void
  /** Told of the tags of items whose proof may be another now, and of the key of the result that says so. */
  proved(tags: readonly string[], key: string): void
  /** Told when members came or went, or began to audit, so that any item may stand otherwise. */
  changed(): void
}

/**
 * Whose claims count: holdings are believed of members that may seed, audits of those that may audit, as the owner's
 * certificates say now. What a member said while it was one lies in the graph, and counts again when it is one again.
 */
export class Trust {
  readonly #options: TrustOptions
  #seeders = new Set<NodeId>()

  constructor(options: TrustOptions) {
    this.#options = options
  }

  /** Takes the results that lie in the graph, and from then on those that come. @returns what ends that */
  async start(): Promise<() => void> {
    const { graph } = this.#options
    const newer = new Set<string>()
    const unwatch = graph.watch('a', (result) => {
      newer.add(result.pub + result.key)
      this.#take(result)
    })
    this.#seeders = new Set(graph.members('seeder'))
    this.#options.proofs.trust(graph.members('auditor'), this.#options.now())
    const slices = new Slices()
    for (const result of graph.entries('a')) {
      // What was read before a pause may be older than what was told since.
      if (!newer.has(result.pub + result.key)) this.#options.proofs.set(result)
      if (slices.over) await slices.next()
    }
    return unwatch
  }

  /** Whether what a node says that it holds counts now. */
  believes(node: NodeId): boolean {
    return this.#options.graph.admits(node, 'seeder')
  }

  /** To be called when a certificate came, and now and then, since certificates expire. */
  async refresh(): Promise<void> {
    const { self, graph, proofs, forget, learn, changed, now } = this.#options
    const before = this.#seeders
    this.#seeders = new Set(graph.members('seeder'))
    const gone = [...before].filter((node) => !this.#seeders.has(node))
    const come = [...this.#seeders].filter((node) => !before.has(node))
    const auditorsMoved = proofs.trust(graph.members('auditor'), now())
    for (const node of gone) if (node !== self) forget(node)
    if (gone.length + come.length > 0 || auditorsMoved) changed()
    const slices = new Slices()
    for (const node of come) {
      for (const holdings of graph.entries('h', node)) {
        if (this.#seeders.has(node)) learn(holdings)
        if (slices.over) await slices.next()
      }
    }
  }

  #take(result: Accepted<AuditResult>): void {
    const { proofs, proved, changed } = this.#options
    const { epoch } = proofs
    const tags = proofs.set(result)
    if (tags.length > 0) proved(tags, result.key)
    // Who says its first word takes the place of one who is farther away: what that one proved may be unknown now.
    if (proofs.epoch !== epoch) changed()
  }
}
