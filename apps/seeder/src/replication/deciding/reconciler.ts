import { isDeepStrictEqual } from 'node:util'
import {
  aboutOf,
  type Accepted,
  type Access,
  type Denial,
  type Graph,
  type Manifest,
  type NodeId,
} from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../../library/index.ts'
import { differences } from './differences.ts'
import type { Serving } from './serving.ts'
import { Slices } from '../slices.ts'
import type { Job } from '../fetching/transfers.ts'

/** Whose copy an item is, as far as this node is concerned. */
export interface Share {
  /** Whether placement wants this node to hold the item, given who lives. */
  wants(manifest: Manifest, publisher: NodeId): boolean
  /** Whether a copy may be begun now; early after a start only missing ones, never replacements. */
  mayFetch(manifest: Manifest): boolean
}

export interface ReconcilerOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'manifests' | 'publish'>
  library: Pick<
    Library,
    'get' | 'head' | 'heads' | 'retract' | 'restore' | 'condition' | 'storage' | 'isPaused' | 'about'
  >
  transfers: {
    add(job: Job, changed: boolean): boolean
    cancel(infoHash: string, why: string): Promise<void>
    has(infoHash: string): boolean
  }
  share: Share
  serving: Pick<Serving, 'offer' | 'offerInPart' | 'offers' | 'offered' | 'withdraw' | 'forget'>
  /** The manifest of an own item that was committed but not published before a crash. */
  manifestOf(item: Item): Manifest
  /** Milliseconds that a retracted item's bytes are kept when its manifest does not say, or makes no sense. */
  retentionMs: number
  /** Told when an item was retracted here, so that its purge can be planned. */
  retracted(): void
  now: () => number
  log: Logger
}

/** A retraction by the publisher, or a denial by the network's owner. */
type TakeDown = Pick<Manifest | Denial, 'infoHash' | 'purgeAfter'>

const retryMs = 15_000
const accesses: readonly Access[] = ['public', 'unlisted', 'private']
/** Bytes that nobody may read any more are kept no longer than this, whatever their publisher says. */
const longestRetentionMs = 30 * 86_400_000

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
  /** Until a pass got through, retractions may have come before this node stopped that nobody acted on. */
  #thorough = true
  /** Own values are published only from the first pass on, when the links have told what the network knew already. */
  #opened = false
  #work: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  readonly #failed = new Map<string, Job>()
  #passFailed = false
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#publishers.add(options.self)
  }

  /** A node that may have published: `isPublished` asks for its manifests. */
  learn(publisher: NodeId): void {
    this.#publishers.add(publisher)
  }

  /** Whether anybody's manifest of the item is live: of two publishers the last one to retract ends it. So does a denial. */
  isPublished(infoHash: string): boolean {
    return this.published(infoHash) !== undefined
  }

  /** A live manifest of the item, and whose it is. */
  published(infoHash: string): { publisher: NodeId; manifest: Manifest } | undefined {
    if (this.#denial(infoHash) !== undefined) return undefined
    for (const publisher of this.#publishers) {
      const manifest = this.#options.graph.get('m', publisher, infoHash)?.body
      if (manifest !== undefined && this.#stands(manifest)) return { publisher, manifest }
    }
    return undefined
  }

  /** The widest access that anybody's manifest of the item gives; `undefined` when there is none. */
  accessOf(infoHash: string): Access | undefined {
    const given = [...this.#publishers].flatMap((pub) => this.#options.graph.get('m', pub, infoHash)?.body.access ?? [])
    return accesses.find((access) => given.includes(access))
  }

  /** Has one item decided on anew, after it changed here or in the graph. */
  touch(publisher: NodeId, infoHash: string): void {
    this.learn(publisher)
    this.#touched.set(infoHash + publisher, { infoHash, publisher })
    this.#wake()
  }

  /** The same for whatever any publisher signed of the item. */
  touchItem(infoHash: string): void {
    for (const publisher of this.#publishers) this.touch(publisher, infoHash)
  }

  /** Brings what the library holds in line with what the graph said before the last stop; publishes nothing yet. */
  start(): void {
    this.#passWanted = true
    this.#wake()
  }

  /** Has every item that is not in order decided on anew: when the links have told, and when live members changed. */
  touchAll(): void {
    this.#opened = true
    this.start()
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
    const slices = new Slices()
    await slices.next()
    await this.#drain(slices)
    if (!this.#passWanted || this.#closed) return
    this.#passWanted = false
    try {
      await this.#pass(slices)
    } catch (error) {
      this.#options.log.error({ err: error }, 'the items could not be read; tried again soon')
      this.#passFailed = true
      this.#retrySoon()
    }
  }

  async #drain(slices: Slices): Promise<void> {
    for (const [key, job] of this.#touched) {
      if (this.#closed) return
      this.#touched.delete(key)
      await this.#decideSafely(job, true)
      if (slices.over) await slices.next()
    }
  }

  async #pass(slices: Slices): Promise<void> {
    const { library, serving } = this.#options
    for (const found of differences(this.#options, this.#thorough, (publisher) => this.learn(publisher))) {
      if (found !== undefined && 'lost' in found) {
        const isHere = library.storage().state === 'here'
        if (isHere && library.condition(found.lost) === 'patchy') await serving.offerInPart(found.lost)
        else if (!isHere || library.get(found.lost)?.state !== 'live') await serving.withdraw(found.lost)
      } else if (found !== undefined) {
        await this.#decideSafely(found, false)
      }
      if (!slices.over) continue
      await slices.next()
      await this.#drain(slices)
      if (this.#closed) return
    }
    this.#thorough = false
  }

  /** One item that cannot be brought in line (a full disk, say) must not keep the others from it. */
  async #decideSafely(job: Job, changed: boolean): Promise<void> {
    try {
      await this.#decide(job, changed)
    } catch (error) {
      this.#options.log.error({ err: error, infoHash: job.infoHash }, 'item could not be reconciled; tried again soon')
      this.#failed.set(job.infoHash + job.publisher, job)
      this.#retrySoon()
    }
  }

  #retrySoon(): void {
    if (this.#closed) return
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      for (const { publisher, infoHash } of this.#failed.values()) this.touch(publisher, infoHash)
      this.#failed.clear()
      if (this.#passFailed) this.start()
      this.#passFailed = false
    }, retryMs)
  }

  /** @param changed the item itself is the reason, and not that members came or went */
  async #decide({ publisher, infoHash }: Job, changed: boolean): Promise<void> {
    const { graph, library, self } = this.#options
    const entry = graph.get('m', publisher, infoHash)
    const held = library.get(infoHash)
    const denial = this.#denial(infoHash)
    if (denial !== undefined) return await this.#takeDown(denial.body, denial.ts, held, 'it was denied')
    if (entry === undefined) {
      if (held?.publisher === publisher && held.state === 'live') await this.#announce(held)
      // Whoever published it: what is not whole here is not offered as if it were.
      else if (held === undefined && library.condition(infoHash) !== 'patchy')
        await this.#options.serving.forget(infoHash)
      return
    }
    const { body: manifest, ts } = entry
    if (!this.#stands(manifest)) {
      const { state, expiresAt = ts } = manifest
      if (this.isPublished(infoHash)) return
      if (state === 'live') await this.#takeDown({ infoHash }, expiresAt, held, 'it has expired')
      else await this.#takeDown(manifest, ts, held, 'it was retracted')
    } else if (held === undefined) {
      await this.#decideMissing(manifest, publisher, changed)
    } else {
      if (held.state === 'retracted') library.restore(infoHash)
      if (changed && publisher !== self && publisher === held.publisher) this.#learnAbout(held, manifest)
      await this.#offer(infoHash)
    }
  }

  /** What lies on a disk that is away is offered to nobody until it is back. */
  async #offer(infoHash: string): Promise<void> {
    const { library, serving } = this.#options
    if (library.storage().state === 'here') await serving.offer(infoHash)
    else await serving.forget(infoHash)
  }

  /** The graph does not know the item. If it is an own one, the last run ended before its manifest was published. */
  async #announce(item: Item): Promise<void> {
    const { graph, manifestOf, self, log } = this.#options
    await this.#offer(item.infoHash)
    if (!this.#opened || item.publisher !== self) return
    await graph.publish('m', item.infoHash, manifestOf(item))
    log.info({ infoHash: item.infoHash }, 'published an item that was committed but not yet in the graph')
  }

  async #decideMissing(manifest: Manifest, publisher: NodeId, changed: boolean): Promise<void> {
    const { share, transfers, serving, library } = this.#options
    const { infoHash } = manifest
    const isHere = library.storage().state === 'here'
    const condition = library.condition(infoHash)
    // Its bad pieces are mended in place; until then it serves the others and does not count as a copy.
    if (isHere && condition === 'patchy') return await serving.offerInPart(infoHash)
    await serving.forget(infoHash)
    // Bytes that may turn out to be right, or come back with their disk, are not fetched a second time.
    if (!isHere || condition === 'suspect') return
    if (library.isPaused(infoHash)) return await transfers.cancel(infoHash, 'it is paused')
    if (!share.wants(manifest, publisher)) {
      if (transfers.has(infoHash) && !this.#wantedByAnother(publisher, infoHash)) {
        await transfers.cancel(infoHash, 'placement wants it elsewhere')
      }
    } else if (share.mayFetch(manifest)) {
      transfers.add({ infoHash, publisher }, changed)
    }
  }

  /** What the publisher says of an item later than it was fetched: details, tags, previews, when it expires. */
  #learnAbout(held: Item, manifest: Manifest): void {
    const about = aboutOf(manifest)
    if (!isDeepStrictEqual(about, held.about)) this.#options.library.about.set(held.infoHash, about)
  }

  #denial(infoHash: string): Accepted<Denial> | undefined {
    const denial = this.#options.graph.get('d', '', infoHash)
    return denial?.body.state === 'denied' ? denial : undefined
  }

  async #takeDown(word: TakeDown, ts: number, held: Item | undefined, why: string): Promise<void> {
    const { library, transfers, serving, retentionMs } = this.#options
    const { infoHash } = word
    // No await before this: what was read of the graph must still be so, or an item published again is taken down.
    const known = held ?? library.head(infoHash)
    if (known?.state === 'live') {
      library.retract(infoHash, purgeTime(word, ts, retentionMs))
      this.#options.retracted()
    }
    await transfers.cancel(infoHash, why)
    if (held !== undefined) await serving.withdraw(infoHash)
    else if (known !== undefined) await serving.forget(infoHash)
  }

  /** One that has expired counts as retracted, also while its publisher is away and cannot say so. */
  #stands({ state, expiresAt = Infinity }: Manifest): boolean {
    return state === 'live' && expiresAt > this.#options.now()
  }

  #wantedByAnother(than: NodeId, infoHash: string): boolean {
    for (const publisher of this.#publishers) {
      const manifest = publisher === than ? undefined : this.#options.graph.get('m', publisher, infoHash)?.body
      if (manifest !== undefined && this.#stands(manifest) && this.#options.share.wants(manifest, publisher))
        return true
    }
    return false
  }
}

/**
 * When the bytes of an item that was taken down go. Who did decides; a time before its own word is none.
 * Threat: with a time far ahead a member would fill the disks of others with bytes that count for nobody.
 */
function purgeTime({ purgeAfter }: TakeDown, ts: number, retentionMs: number): number {
  if (purgeAfter === undefined || purgeAfter < ts) return ts + retentionMs
  return Math.min(purgeAfter, ts + Math.max(retentionMs, longestRetentionMs))
}
