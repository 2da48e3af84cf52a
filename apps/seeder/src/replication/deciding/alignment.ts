import { isDeepStrictEqual } from 'node:util'
import { aboutOf, type Denial, type Graph, type Manifest, type NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../../library/index.ts'
import type { Absence } from './absence.ts'
import type { Publication, Publications } from './publications.ts'
import type { Serving } from './serving.ts'

export interface AlignmentOptions {
  self: NodeId
  graph: Pick<Graph, 'publish' | 'speakerOf'>
  library: Pick<
    Library,
    'get' | 'head' | 'retract' | 'restore' | 'inherit' | 'condition' | 'storage' | 'isPaused' | 'about'
  >
  publications: Publications
  transfers: { cancel(infoHash: string, why: string): Promise<void> }
  serving: Pick<Serving, 'offer' | 'offerInPart' | 'suspend' | 'withdraw' | 'forget'>
  /** For how long the disk with the items is away. */
  absence: Pick<Absence, 'isLong'>
  /** Whether own values are published yet. */
  isOpen(): boolean
  /** The manifest of an own item that was committed but not published before a crash. */
  manifestOf(item: Item): Manifest
  /** Milliseconds that a retracted item's bytes are kept when its manifest does not say, or makes no sense. */
  retentionMs: number
  /** Told when an item was retracted here, so that its purge can be planned. */
  retracted(): void
  log: Logger
}

/** A retraction by the publisher, or a denial by the network's owner. */
type TakeDown = Pick<Manifest | Denial, 'infoHash' | 'purgeAfter'>

/** Bytes that nobody may read any more are kept no longer than this, whatever their publisher says. */
const longestRetentionMs = 30 * 86_400_000

/** What this node holds and serves of one item, brought in line with what the graph says of it. */
export class Alignment {
  readonly #options: AlignmentOptions

  constructor(options: AlignmentOptions) {
    this.#options = options
  }

  /** @param changed the item itself is the reason, and not that members came or went */
  async bring(infoHash: string, changed: boolean): Promise<void> {
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
    await this.offer(infoHash)
  }

  /** Whoever published it: what is not whole here is not offered as if it were. */
  async #keepUnpublished(infoHash: string, held: Item | undefined): Promise<void> {
    const { library, serving } = this.#options
    if (held?.state === 'live') await this.offer(infoHash)
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
  async offer(infoHash: string): Promise<void> {
    const { library, serving, absence } = this.#options
    if (library.storage().state === 'here') await serving.offer(infoHash)
    else if (absence.isLong) await serving.forget(infoHash)
    else await serving.suspend(infoHash)
  }

  /** The graph does not know the item. If it is an own one, the last run ended before its manifest was published. */
  async #announce(item: Item): Promise<void> {
    const { graph, manifestOf, self, log } = this.#options
    await this.offer(item.infoHash)
    if (!this.#options.isOpen() || item.publisher !== self) return
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
