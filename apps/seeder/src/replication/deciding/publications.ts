import {
  Demands,
  type Accepted,
  type Access,
  type Asking,
  type Denial,
  type Graph,
  type Manifest,
  type NodeId,
} from '@eldernode/core'
import { Signers } from './signers.ts'

export interface PublicationsOptions {
  self: NodeId
  graph: Pick<Graph, 'entries' | 'get' | 'speakerOf' | 'watch'>
  now: () => number
}

/** What a publisher says of an item. */
export interface Publication {
  /** Who speaks for it: the signer, or who succeeded a lost key. */
  publisher: NodeId
  /** Under whose name it lies in the graph. */
  signer: NodeId
  manifest: Manifest
  /** Milliseconds since 1970 when it was signed. */
  ts: number
}

const accesses: readonly Access[] = ['public', 'unlisted', 'private']

/**
 * Who publishes what, as the graph has it, and what all of it asks for. What a lost key published counts as its
 * successor's, whose own word on an item stands instead.
 */
export class Publications {
  readonly demands = new Demands()
  readonly #options: PublicationsOptions
  readonly #publishers = new Set<NodeId>()
  readonly #signers = new Signers()
  /** Whether all manifests were read, so that nobody but who is known to have signed one of an item has. */
  #indexed = false
  /** When manifests expire that will. */
  readonly #expiries = new Map<string, number>()

  constructor(options: PublicationsOptions) {
    this.#options = options
    this.#publishers.add(options.self)
  }

  /** Nodes that may have published. */
  publishers(): Iterable<NodeId> {
    return this.#publishers
  }

  /** A node that may have published: items are looked for among its manifests. `infoHash`: one that it did publish. */
  learn(publisher: NodeId, infoHash?: string): void {
    this.#publishers.add(publisher)
    if (infoHash !== undefined) this.#signers.add(infoHash, publisher)
  }

  /** What each publisher says of an item, retracted or not. */
  of(infoHash: string): Publication[] {
    const { graph } = this.#options
    const found = new Map<NodeId, Publication>()
    for (const signer of this.#indexed ? this.#signers.of(infoHash) : this.#publishers) {
      const entry = graph.get('m', signer, infoHash)
      if (entry === undefined) continue
      const publisher = graph.speakerOf(signer)
      const known = found.get(publisher)
      const isBetter =
        known === undefined || (known.signer !== publisher && (signer === publisher || entry.ts > known.ts))
      if (isBetter) found.set(publisher, { publisher, signer, manifest: entry.body, ts: entry.ts })
    }
    return [...found.values()]
  }

  /** A live manifest of the item: of two publishers the last one to retract ends it. So does a denial. */
  published(infoHash: string): Publication | undefined {
    if (this.denial(infoHash) !== undefined) return undefined
    return this.of(infoHash).find(({ manifest }) => this.stands(manifest))
  }

  /** Whose manifests of the item are live. */
  signers(infoHash: string): NodeId[] {
    return this.of(infoHash).flatMap(({ signer, manifest }) => (this.stands(manifest) ? [signer] : []))
  }

  /** The widest access that anybody's manifest of the item gives; `undefined` when there is none. */
  accessOf(infoHash: string): Access | undefined {
    const given = this.of(infoHash).map(({ manifest }) => manifest.access)
    return accesses.find((access) => given.includes(access))
  }

  denial(infoHash: string): Accepted<Denial> | undefined {
    const denial = this.#options.graph.get('d', '', infoHash)
    return denial?.body.state === 'denied' ? denial : undefined
  }

  /** One that has expired counts as retracted, also while its publisher is away and cannot say so. */
  stands({ state, expiresAt = Infinity }: Manifest): boolean {
    return state === 'live' && expiresAt > this.#options.now()
  }

  /** Has the demands say what the graph says of an item now. @returns whether that changed anything */
  refresh(infoHash: string): boolean {
    const { demands } = this
    const live = this.denial(infoHash) === undefined ? this.of(infoHash) : []
    const asking = new Map<NodeId, Asking>()
    let expiry = Infinity
    for (const { publisher, manifest } of live) {
      if (!this.stands(manifest)) continue
      asking.set(publisher, askingOf(manifest))
      expiry = Math.min(expiry, manifest.expiresAt ?? Infinity)
    }
    if (expiry < Infinity) this.#expiries.set(infoHash, expiry)
    else this.#expiries.delete(infoHash)
    let changed = false
    const before = demands.get(infoHash)?.publishers ?? []
    for (const publisher of before) {
      if (!asking.has(publisher)) changed = demands.set(publisher, infoHash, undefined) || changed
    }
    for (const [publisher, one] of asking) changed = demands.set(publisher, infoHash, one) || changed
    return changed
  }

  /** Items one of whose manifests has expired since it was last looked at. */
  *expired(): Iterable<string> {
    const now = this.#options.now()
    for (const [infoHash, at] of this.#expiries) if (at <= now) yield infoHash
  }

  /**
   * Reads every manifest once, one at a step, so that the caller may pause between any two. What is told meanwhile is to
   * be refreshed as it comes; later on each new signer is to be learned with its item.
   * @yields items that somebody retracted: it may have been before this node stopped
   */
  *load(): Generator<string | undefined> {
    const { graph } = this.#options
    const newer = new Set<string>()
    const unwatch = graph.watch('m', ({ pub, key }) => {
      newer.add(key)
      this.learn(pub, key)
    })
    try {
      for (const { pub, key, body } of graph.entries('m')) {
        this.learn(pub, key)
        const stands = this.stands(body)
        const isPlain = body.expiresAt === undefined && graph.speakerOf(pub) === pub && !newer.has(key)
        if (stands && isPlain) this.demands.set(pub, key, askingOf(body))
        else if (stands) this.refresh(key)
        yield stands ? undefined : key
      }
      this.#indexed = true
    } finally {
      unwatch()
    }
    for (const { key } of graph.entries('d')) {
      this.refresh(key)
      yield key
    }
  }
}

function askingOf({ size, replicas, createdAt }: Manifest): Asking {
  return { size, min: replicas.min, target: replicas.target, since: createdAt }
}
