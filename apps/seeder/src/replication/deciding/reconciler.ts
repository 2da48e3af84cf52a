import { isDeepStrictEqual } from 'node:util'
import { aboutOf, type Denial, type Graph, type Manifest, type NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../../library/index.ts'
import type { Absence } from './absence.ts'
import { differences } from './differences.ts'
import type { Serving } from './serving.ts'
import { Slices } from '../slices.ts'
import type { Duties } from './duties.ts'
import type { Publication, Publications } from './publications.ts'

export interface ReconcilerOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'manifests' | 'publish' | 'speakerOf'>
  library: Pick<
    Library,
    | 'get'
    | 'head'
    | 'heads'
    | 'patchy'
    | 'retract'
    | 'restore'
    | 'inherit'
    | 'condition'
    | 'storage'
    | 'isPaused'
    | 'about'
  >
  publications: Publications
  transfers: { cancel(infoHash: string, why: string): Promise<void> }
  /** What is to be done about copies. */
  duties: Pick<Duties, 'look' | 'pass'>
  serving: Pick<Serving, 'offer' | 'offerInPart' | 'offers' | 'offered' | 'suspend' | 'withdraw' | 'forget'>
  /** For how long the disk with the items is away. */
  absence: Pick<Absence, 'isLong'>
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
/** Bytes that nobody may read any more are kept no longer than this, whatever their publisher says. */
const longestRetentionMs = 30 * 86_400_000

/**
 * Brings what this node holds and serves in line with the graph. It is level-triggered: a touch names an item, and
 * what to do follows from the present state alone, so that touches may be lost, doubled or late. All of them are
 * worked off by one loop, which gives way to the event loop every few milliseconds.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #touched = new Set<string>()
  #passWanted = false
  /** Until a pass got through, retractions may have come before this node stopped that nobody acted on. */
  #thorough = true
  /** Whether the demands say what every manifest asks for. */
  #loaded = false
  /** Own values are published only from the first pass on, when the links have told what the network knew already. */
  #opened = false
  #work: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  readonly #failed = new Set<string>()
  #passFailed = false
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Whether what every item asks for is known. */
  get isLoaded(): boolean {
    return this.#loaded
  }

  /** Whether anything waits to be decided, or is being. */
  get isBusy(): boolean {
    return this.#work !== undefined
  }

  /** Has one item decided on anew, after it changed here or in the graph. */
  touchItem(infoHash: string): void {
    this.#touched.add(infoHash)
    this.#wake()
  }

  /** The same, of a manifest that somebody signed. */
  touch(publisher: NodeId, infoHash: string): void {
    this.#options.publications.learn(publisher, infoHash)
    this.touchItem(infoHash)
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
    for (const infoHash of this.#touched) {
      if (this.#closed) return
      this.#touched.delete(infoHash)
      await this.#decideSafely(infoHash, true)
      if (slices.over) await slices.next()
    }
  }

  async #pass(slices: Slices): Promise<void> {
    const { library, serving, publications, duties } = this.#options
    const found = differences(this.#options, this.#thorough, (publisher) => publications.learn(publisher))
    await this.#each(found, slices, async (difference) => {
      if (!('lost' in difference)) return await this.#decideSafely(difference.infoHash, false)
      const isHere = library.storage().state === 'here'
      if (isHere && library.condition(difference.lost) === 'patchy') await serving.offerInPart(difference.lost)
      else if (library.get(difference.lost)?.state !== 'live') await serving.withdraw(difference.lost)
      else if (!isHere) await this.#offer(difference.lost)
    })
    this.#thorough = false
    if (!this.#opened || this.#closed) return
    if (!this.#loaded) {
      await this.#each(publications.load(), slices, async (infoHash) => {
        if (library.head(infoHash) !== undefined) await this.#decideSafely(infoHash, false)
      })
      this.#loaded = !this.#closed
    }
    await this.#each(duties.pass(), slices, () => Promise.resolve())
  }

  /** Takes every step, acting on those that give something, with pauses in which what was touched meanwhile is decided. */
  async #each<T>(
    steps: Iterable<T | undefined | void>,
    slices: Slices,
    act: (step: T) => Promise<void>,
  ): Promise<void> {
    for (const step of steps) {
      if (step !== undefined) await act(step)
      if (!slices.over) continue
      await slices.next()
      await this.#drain(slices)
      if (this.#closed) return
    }
  }

  /** One item that cannot be brought in line (a full disk, say) must not keep the others from it. */
  async #decideSafely(infoHash: string, changed: boolean): Promise<void> {
    try {
      await this.#decide(infoHash, changed)
    } catch (error) {
      this.#options.log.error({ err: error, infoHash }, 'item could not be reconciled; tried again soon')
      this.#failed.add(infoHash)
      this.#retrySoon()
    }
  }

  #retrySoon(): void {
    if (this.#closed) return
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      for (const infoHash of this.#failed) this.touchItem(infoHash)
      this.#failed.clear()
      if (this.#passFailed) this.start()
      this.#passFailed = false
    }, retryMs)
  }

  /** @param changed the item itself is the reason, and not that members came or went */
  async #decide(infoHash: string, changed: boolean): Promise<void> {
    const { publications, duties } = this.#options
    if (changed) publications.refresh(infoHash)
    await this.#bringInLine(infoHash, changed)
    duties.look(infoHash, changed)
  }

  async #bringInLine(infoHash: string, changed: boolean): Promise<void> {
    const { publications, library, self } = this.#options
    const held = library.get(infoHash)
    const denial = publications.denial(infoHash)
    if (denial !== undefined) return await this.#takeDown(denial.body, denial.ts, held, 'it was denied')
    const said = publications.of(infoHash)
    const live = said.filter(({ manifest }) => publications.stands(manifest))
    const publisher = held && this.#inherited(held, said)
    if (held?.state === 'live' && publisher === self && !said.some(({ signer }) => signer === self)) {
      return await this.#announce(held)
    }
    if (said.length === 0) return await this.#keepUnpublished(infoHash, held)
    if (live.length === 0) return await this.#end(infoHash, said, held)
    if (held === undefined) return await this.#bringMissingInLine(infoHash)
    if (held.state === 'retracted') library.restore(infoHash)
    const own = live.find(({ signer }) => signer === publisher)
    if (changed && own !== undefined && own.signer !== self) this.#learnAbout(held, own.manifest)
    await this.#offer(infoHash)
  }

  /** Whoever published it: what is not whole here is not offered as if it were. */
  async #keepUnpublished(infoHash: string, held: Item | undefined): Promise<void> {
    const { library, serving } = this.#options
    if (held?.state === 'live') await this.#offer(infoHash)
    else if (held === undefined && library.condition(infoHash) !== 'patchy') await serving.forget(infoHash)
  }

  /** Every publisher retracted it, or let it expire: the last one to do so decides. */
  async #end(infoHash: string, said: readonly Publication[], held: Item | undefined): Promise<void> {
    const endOf = ({ manifest, ts }: Publication): number =>
      manifest.state === 'live' ? (manifest.expiresAt ?? ts) : ts
    const [last, ...others] = said
    if (last === undefined) return
    const { manifest, ts } = others.reduce((latest, one) => (endOf(one) > endOf(latest) ? one : latest), last)
    if (manifest.state === 'live') await this.#takeDown({ infoHash }, manifest.expiresAt ?? ts, held, 'it has expired')
    else await this.#takeDown(manifest, ts, held, 'it was retracted')
  }

  /** What lies on a disk that is away is offered to nobody until it is back, and claimed no more when that takes long. */
  async #offer(infoHash: string): Promise<void> {
    const { library, serving, absence } = this.#options
    if (library.storage().state === 'here') await serving.offer(infoHash)
    else if (absence.isLong) await serving.forget(infoHash)
    else await serving.suspend(infoHash)
  }

  /** The graph does not know the item. If it is an own one, the last run ended before its manifest was published. */
  async #announce(item: Item): Promise<void> {
    const { graph, manifestOf, self, log } = this.#options
    await this.#offer(item.infoHash)
    if (!this.#opened || item.publisher !== self) return
    await graph.publish('m', item.infoHash, manifestOf(item))
    log.info({ infoHash: item.infoHash }, 'published an item that was committed but not yet in the graph')
  }

  async #bringMissingInLine(infoHash: string): Promise<void> {
    const { transfers, serving, library } = this.#options
    const isHere = library.storage().state === 'here'
    // Its bad pieces are mended in place; until then it serves the others and does not count as a copy.
    if (isHere && library.condition(infoHash) === 'patchy') return await serving.offerInPart(infoHash)
    await serving.forget(infoHash)
    if (library.isPaused(infoHash)) await transfers.cancel(infoHash, 'it is paused')
  }

  /** Who published a held item: once the successor of a lost key has spoken of it, that one. */
  #inherited({ infoHash, publisher }: Item, said: readonly Publication[]): NodeId {
    const heir = this.#options.graph.speakerOf(publisher)
    if (heir === publisher || !said.some(({ signer }) => signer === heir)) return publisher
    this.#options.library.inherit(infoHash, heir)
    return heir
  }

  /** What the publisher says of an item later than it was fetched: details, tags, previews, when it expires. */
  #learnAbout(held: Item, manifest: Manifest): void {
    const about = aboutOf(manifest)
    if (!isDeepStrictEqual(about, held.about)) this.#options.library.about.set(held.infoHash, about)
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
}

/**
 * When the bytes of an item that was taken down go. Who did decides; a time before its own word is none.
 * Threat: with a time far ahead a member would fill the disks of others with bytes that count for nobody.
 */
function purgeTime({ purgeAfter }: TakeDown, ts: number, retentionMs: number): number {
  if (purgeAfter === undefined || purgeAfter < ts) return ts + retentionMs
  return Math.min(purgeAfter, ts + Math.max(retentionMs, longestRetentionMs))
}
