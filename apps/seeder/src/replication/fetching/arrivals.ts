import type { Manifest, NodeId } from '@eldernode/core'
import type { Arrival } from './arrival.ts'
import { ReadsBusyError, TransferCancelledError } from '../errors.ts'

export interface ArrivalsOptions {
  /** Begins to bring an item here once `before` has settled. */
  begin(manifest: Manifest, publisher: NodeId, before: Promise<void>): Arrival
  /** Bytes and number of the items that are here because somebody reads them. */
  maxBytes: number
  maxItems: number
  /** Milliseconds for which what was read is kept for the next reader. */
  keepMs: number
  /** Told when what was on its way could not be removed from the disk. */
  failed(error: unknown): void
}

/** One who uses an arrival. */
export interface Use {
  arrival: Arrival
  /** Whether others used it already. */
  shared: boolean
  /** To be called once. Resolves, when the arrival ends with it, once nothing touches the disk any more. */
  leave(): Promise<void>
}

interface Known {
  arrival: Arrival
  users: number
  read: boolean
  idle: NodeJS.Timeout | undefined
}

/** The items on their way here, each once, for as long as somebody uses it. */
export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #known = new Map<string, Known>()
  readonly #ending = new Map<string, Promise<void>>()
  #closed = false

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** For who keeps a copy. */
  keep(manifest: Manifest, publisher: NodeId): Use {
    return this.#use(manifest, publisher, false)
  }

  /** For who reads it meanwhile. @throws ReadsBusyError */
  read(manifest: Manifest, publisher: NodeId): Use {
    const { infoHash, size } = manifest
    if (this.#known.get(infoHash)?.read !== true) this.#makeRoom(infoHash, size)
    return this.#use(manifest, publisher, true)
  }

  /** Whether an item is on its way here, or its arrival is ending. */
  has(infoHash: string): boolean {
    return this.#known.has(infoHash) || this.#ending.has(infoHash)
  }

  /** Ends an arrival for all who use it. Resolves when it has let go of the disk. */
  async end(infoHash: string, why: string): Promise<void> {
    const known = this.#known.get(infoHash)
    if (known !== undefined) await this.#end(infoHash, known, why)
    await this.#ending.get(infoHash)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#known.keys()].map((infoHash) => this.end(infoHash, 'the node stops')))
    await Promise.all(this.#ending.values())
  }

  #use(manifest: Manifest, publisher: NodeId, read: boolean): Use {
    const { infoHash } = manifest
    if (this.#closed) throw new TransferCancelledError(infoHash, 'the node stops')
    const known = this.#live(infoHash) ?? this.#begin(manifest, publisher)
    clearTimeout(known.idle)
    const shared = known.users > 0
    known.users++
    known.read ||= read
    const { arrival } = known
    return { arrival, shared, leave: () => this.#leave(infoHash, known) }
  }

  #live(infoHash: string): Known | undefined {
    const known = this.#known.get(infoHash)
    return known?.arrival.failure === undefined ? known : undefined
  }

  #begin(manifest: Manifest, publisher: NodeId): Known {
    const { infoHash } = manifest
    const failed = this.#known.get(infoHash)
    const before = Promise.all([this.#ending.get(infoHash), failed?.arrival.ended]).then(() => undefined)
    const arrival = this.#options.begin(manifest, publisher, before)
    const known = { arrival, users: 0, read: false, idle: undefined }
    this.#known.set(infoHash, known)
    return known
  }

  async #leave(infoHash: string, known: Known): Promise<void> {
    known.users--
    if (known.users > 0) return
    const isKept = known.arrival.failure === undefined && known.read && !this.#closed
    if (!isKept) return await this.#end(infoHash, known, 'nobody uses it any more')
    // Players leave and come back for each stretch that they need.
    known.idle = setTimeout(() => void this.#end(infoHash, known, 'nobody uses it any more'), this.#options.keepMs)
  }

  async #end(infoHash: string, known: Known, why: string): Promise<void> {
    clearTimeout(known.idle)
    if (this.#known.get(infoHash) === known) this.#known.delete(infoHash)
    const before = this.#ending.get(infoHash)
    const ended = known.arrival.end(new TransferCancelledError(infoHash, why)).catch(this.#options.failed)
    const ending = Promise.all([ended, before]).then(() => undefined)
    this.#ending.set(infoHash, ending)
    await ending
    if (this.#ending.get(infoHash) === ending) this.#ending.delete(infoHash)
  }

  /** What nobody reads any more goes first, the longest unread first. */
  #makeRoom(infoHash: string, size: number): void {
    const { maxBytes, maxItems } = this.#options
    if (size > maxBytes) throw new ReadsBusyError(infoHash, `it has ${size} bytes, more than are set aside for reads`)
    let [bytes, items] = [size, 1]
    for (const { arrival, read } of this.#known.values()) {
      if (!read) continue
      bytes += arrival.manifest.size
      items++
    }
    for (const [other, known] of this.#known) {
      if (bytes <= maxBytes && items <= maxItems) return
      if (!known.read || known.users > 0) continue
      bytes -= known.arrival.manifest.size
      items--
      void this.#end(other, known, 'another item is read')
    }
    if (bytes > maxBytes || items > maxItems) throw new ReadsBusyError(infoHash, 'too many others are being read')
  }
}
