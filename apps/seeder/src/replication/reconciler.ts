import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Graph, Manifest, NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../library/index.ts'
import type { Serving } from './serving.ts'
import type { Job } from './transfers.ts'

/** Whose copy an item is, as far as this node is concerned. */
export interface Share {
  /** Whether placement wants this node to hold the item, given who lives. */
  wants(manifest: Manifest, publisher: NodeId): boolean
  /** Whether a copy may be begun now; early after a start only missing ones, never replacements. */
  mayFetch(manifest: Manifest): boolean
}

export interface ReconcilerOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'entries' | 'publish'>
  library: Pick<Library, 'get' | 'all' | 'retract' | 'restore'>
  transfers: {
    add(job: Job): boolean
    cancel(infoHash: string, why: string): Promise<void>
    has(infoHash: string): boolean
  }
  share: Share
  serving: Pick<Serving, 'offer' | 'withdraw' | 'forget'>
  /** The manifest of an own item that was committed but not published before a crash. */
  manifestOf(item: Item): Manifest
  /** Milliseconds that a retracted item's bytes are kept when its manifest does not say. */
  retentionMs: number
  /** Told when an item was retracted here, so that its purge can be planned. */
  retracted(): void
  log: Logger
  now: () => number
}

const sliceMs = 8
const retryMs = 15_000

/**
 * Brings what this node holds and serves in line with the graph. It is level-triggered: a touch names an item, and
 * what to do follows from the present state alone, so that touches may be lost, doubled or late. All of them are
 * worked off by one loop, which gives way to the event loop every few milliseconds.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #touched = new Map<string, Job>()
  readonly #publishers = new Set<NodeId>()
  #passWanted = false
  /** Own values are published only from the first pass on, when the links have told what the network knew already. */
  #opened = false
  /** Until the first pass is done the library may be ahead of the graph: the last run can have ended between the two. */
  #recovering = true
  #work: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Has one item decided on anew. */
  touch(publisher: NodeId, infoHash: string): void {
    this.#publishers.add(publisher)
    this.#touched.set(infoHash + publisher, { infoHash, publisher })
    this.#wake()
  }

  /** The same for whatever any publisher signed of the item. */
  touchItem(infoHash: string): void {
    for (const publisher of this.#publishers) this.touch(publisher, infoHash)
  }

  /** Has every item decided on anew: at the start, and when the set of live members changed. */
  touchAll(): void {
    this.#opened = true
    this.#passWanted = true
    this.#wake()
  }

  /** Resolves once nothing is left to decide. */
  async idle(): Promise<void> {
    while (this.#work) await this.#work
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#touched.clear()
    await this.#work
  }

  #wake(): void {
    if (this.#closed) return
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      if (this.#touched.size > 0 || this.#passWanted) this.#wake()
    })
  }

  async #run(): Promise<void> {
    await nextTurn()
    await this.#drain()
    if (!this.#passWanted || this.#closed) return
    this.#passWanted = false
    await this.#pass()
  }

  async #drain(): Promise<void> {
    let sliceEnd = performance.now() + sliceMs
    for (const [key, job] of this.#touched) {
      if (this.#closed) return
      this.#touched.delete(key)
      await this.#decideSafely(job)
      if (performance.now() < sliceEnd) continue
      await nextTurn()
      sliceEnd = performance.now() + sliceMs
    }
  }

  async #pass(): Promise<void> {
    const { graph, library, self } = this.#options
    let sliceEnd = performance.now() + sliceMs
    const giveWay = async (): Promise<boolean> => {
      if (performance.now() < sliceEnd) return !this.#closed
      await nextTurn()
      await this.#drain()
      sliceEnd = performance.now() + sliceMs
      return !this.#closed
    }
    for (const { pub, key } of graph.entries('m')) {
      this.#publishers.add(pub)
      await this.#decideSafely({ publisher: pub, infoHash: key })
      if (!(await giveWay())) return
    }
    for (const item of library.all()) {
      if (item.publisher === self) await this.#decideSafely({ publisher: self, infoHash: item.infoHash })
      if (!(await giveWay())) return
    }
    this.#recovering = false
  }

  /** One item that cannot be brought in line (a full disk, say) must not keep the others from it. */
  async #decideSafely(job: Job): Promise<void> {
    try {
      await this.#decide(job)
    } catch (error) {
      this.#options.log.error({ err: error, infoHash: job.infoHash }, 'item could not be reconciled; tried again soon')
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.touch(job.publisher, job.infoHash)
        this.touchAll()
      }, retryMs)
    }
  }

  async #decide({ publisher, infoHash }: Job): Promise<void> {
    const { graph, library, self } = this.#options
    const entry = graph.get('m', publisher, infoHash)
    const held = library.get(infoHash)
    if (entry === undefined) {
      if (held?.publisher === publisher && held.state === 'live') await this.#announce(held)
      return
    }
    const { body: manifest, ts } = entry
    if (manifest.state === 'retracted') {
      await this.#decideRetracted(manifest, ts, held)
    } else if (held === undefined) {
      await this.#decideMissing(manifest, publisher)
    } else if (held.state === 'live') {
      await this.#options.serving.offer(held)
    } else if (publisher === self && this.#recovering) {
      if (this.#opened) await this.#retractAgain(manifest, held)
    } else {
      library.restore(infoHash)
      await this.#options.serving.offer({ ...held, state: 'live' })
    }
  }

  /** The graph does not know the item. If it is an own one, the last run ended before its manifest was published. */
  async #announce(item: Item): Promise<void> {
    const { graph, manifestOf, serving, self, log } = this.#options
    await serving.offer(item)
    if (!this.#opened || item.publisher !== self) return
    await graph.publish('m', item.infoHash, manifestOf(item))
    log.info({ infoHash: item.infoHash }, 'published an item that was committed but not yet in the graph')
  }

  /** The last run retracted an own item and ended before the retraction was published. */
  async #retractAgain(manifest: Manifest, item: Item): Promise<void> {
    const purgeAfter = item.purgeAfter ?? this.#options.now() + this.#options.retentionMs
    await this.#options.graph.publish('m', item.infoHash, { ...manifest, state: 'retracted', purgeAfter })
  }

  async #decideMissing(manifest: Manifest, publisher: NodeId): Promise<void> {
    const { share, transfers, serving } = this.#options
    const { infoHash } = manifest
    await serving.forget(infoHash)
    if (!share.wants(manifest, publisher)) {
      if (transfers.has(infoHash) && !this.#wantedByAnother(publisher, infoHash)) {
        await transfers.cancel(infoHash, 'placement wants it elsewhere')
      }
    } else if (share.mayFetch(manifest)) {
      transfers.add({ infoHash, publisher })
    }
  }

  async #decideRetracted(manifest: Manifest, ts: number, held: Item | undefined): Promise<void> {
    const { library, transfers, serving, retentionMs } = this.#options
    const { infoHash } = manifest
    if (this.#liveElsewhere(infoHash)) return
    await transfers.cancel(infoHash, 'it was retracted')
    if (held === undefined) return
    if (held.state === 'live') {
      library.retract(infoHash, manifest.purgeAfter ?? ts + retentionMs)
      this.#options.retracted()
    }
    await serving.withdraw(infoHash)
  }

  /** An item of two publishers stays until the last live manifest is retracted. */
  #liveElsewhere(infoHash: string): boolean {
    for (const publisher of this.#publishers) {
      if (this.#options.graph.get('m', publisher, infoHash)?.body.state === 'live') return true
    }
    return false
  }

  #wantedByAnother(than: NodeId, infoHash: string): boolean {
    for (const publisher of this.#publishers) {
      const manifest = publisher === than ? undefined : this.#options.graph.get('m', publisher, infoHash)?.body
      if (manifest?.state === 'live' && this.#options.share.wants(manifest, publisher)) return true
    }
    return false
  }
}
