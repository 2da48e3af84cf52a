import type { NodeId } from '@eldernode/core'
import { StorageSuspendedError, type Library, type OpenBlob } from '../library/index.ts'
import { Layouts, type Layout, type Stretch } from './layouts.ts'
import { AuditsBusyError, NotAuditorError, NotHeldError, TakenDownError, WrongHolderError } from './errors.ts'

/** Audits answered at a time, of one auditor and of all. */
const mostOfOne = 4
const mostOfAll = 16

export interface DoorOptions {
  self: NodeId
  library: Pick<Library, 'condition' | 'head' | 'metainfo' | 'openBlob' | 'pieces' | 'record' | 'storage'>
  isAuditor(node: NodeId): boolean
  /** Told when a file that should be there could not be read. */
  unreadable(infoHash: string, error: unknown): void
}

interface OpenStretch {
  stretch: Stretch
  blob: OpenBlob
}

/** A piece as it lies on this node's disk, not checked. */
export interface LocalPiece {
  /** Bytes. */
  length: number
  /** Reads up to `length` bytes from `position` of the piece on. @returns how many; 0 where a file is too short */
  read(target: Buffer, length: number, position: number): Promise<number>
  /** Lets the auditor ask for another one. */
  close(): Promise<void>
}

/** Answers audits: from the local disk alone, for this node alone, to auditors alone, and to few at a time. */
export class Door {
  readonly #options: DoorOptions
  readonly #layouts: Layouts
  readonly #inside = new Map<NodeId, number>()
  #all = 0

  constructor(options: DoorOptions) {
    this.#options = options
    this.#layouts = new Layouts(options.library)
  }

  /** @throws WrongHolderError */
  assertSelf(holder: NodeId): void {
    if (holder !== this.#options.self) throw new WrongHolderError(holder, this.#options.self)
  }

  /**
   * The .torrent file of an item that is held.
   * @throws NotAuditorError, WrongHolderError, NotHeldError, TakenDownError, StorageSuspendedError
   */
  metainfo(auditor: NodeId, holder: NodeId, infoHash: string): Uint8Array {
    this.#admit(auditor, holder)
    this.#assertHeld(infoHash)
    const metainfo = this.#options.library.metainfo(infoHash)
    if (metainfo === undefined) throw new NotHeldError(infoHash)
    return metainfo
  }

  /**
   * One piece. It must be closed.
   * @throws NotAuditorError, WrongHolderError, AuditsBusyError, NotHeldError, TakenDownError, StorageSuspendedError
   */
  async open(auditor: NodeId, holder: NodeId, infoHash: string, piece: number): Promise<LocalPiece> {
    this.#admit(auditor, holder)
    return await this.read(infoHash, piece, auditor)
  }

  /** The same for whoever asks in the name of `who`. @throws AuditsBusyError, NotHeldError, TakenDownError, StorageSuspendedError */
  async read(infoHash: string, piece: number, who: NodeId): Promise<LocalPiece> {
    this.#assertHeld(infoHash)
    const layout = this.#layouts.of(infoHash)
    if (layout === undefined || !this.#isSound(infoHash, piece)) throw new NotHeldError(infoHash, piece)
    this.#enter(who)
    try {
      return await this.#local(infoHash, piece, layout, () => this.#leave(who))
    } catch (error) {
      this.#leave(who)
      throw error
    }
  }

  async #local(infoHash: string, piece: number, layout: Layout, left: () => void): Promise<LocalPiece> {
    const { library, unreadable } = this.#options
    const stretches = layout.piece(piece)
    let open = await this.#begin(infoHash, piece, stretches)
    let closed = false
    const read = async (target: Buffer, length: number, position: number): Promise<number> => {
      const stretch = stretches.find(({ at, length: size }) => position >= at && position < at + size)
      if (stretch === undefined) return 0
      if (stretch !== open.stretch) {
        const before = open.blob
        open = { stretch, blob: await library.openBlob(stretch.sha256) }
        await before.close()
      }
      const into = position - stretch.at
      return await open.blob.read(target, Math.min(length, stretch.length - into), stretch.position + into)
    }
    return {
      length: layout.lengthOf(piece),
      read: async (target, length, position) => {
        try {
          return await read(target, length, position)
        } catch (error) {
          unreadable(infoHash, error)
          throw error
        }
      },
      close: async () => {
        if (closed) return
        closed = true
        left()
        await open.blob.close()
      },
    }
  }

  #admit(auditor: NodeId, holder: NodeId): void {
    this.assertSelf(holder)
    if (!this.#options.isAuditor(auditor)) throw new NotAuditorError(auditor)
  }

  /** What is suspect is still claimed: whether its bytes are right the auditor sees. */
  #assertHeld(infoHash: string): void {
    const { library } = this.#options
    const { folder, state } = library.storage()
    if (state !== 'here') throw new StorageSuspendedError(folder, state)
    const head = library.head(infoHash)
    if (head?.state === 'retracted') throw new TakenDownError(infoHash)
    const condition = library.condition(infoHash)
    if (head === undefined || condition === undefined || condition === 'damaged') throw new NotHeldError(infoHash)
  }

  #isSound(infoHash: string, piece: number): boolean {
    const { library } = this.#options
    if (library.condition(infoHash) !== 'patchy') return true
    return library.pieces(infoHash)?.bad.includes(piece) !== true
  }

  /** @throws NotHeldError when a file is not there, of which the library is told then */
  async #begin(infoHash: string, piece: number, stretches: readonly Stretch[]): Promise<OpenStretch> {
    const [stretch] = stretches
    if (stretch === undefined) throw new NotHeldError(infoHash, piece)
    try {
      return { stretch, blob: await this.#options.library.openBlob(stretch.sha256) }
    } catch (cause) {
      this.#options.unreadable(infoHash, cause)
      throw new NotHeldError(infoHash, piece)
    }
  }

  #enter(auditor: NodeId): void {
    const inside = this.#inside.get(auditor) ?? 0
    if (inside >= mostOfOne || this.#all >= mostOfAll) throw new AuditsBusyError()
    this.#inside.set(auditor, inside + 1)
    this.#all++
  }

  #leave(auditor: NodeId): void {
    this.#all--
    const inside = (this.#inside.get(auditor) ?? 1) - 1
    if (inside === 0) this.#inside.delete(auditor)
    else this.#inside.set(auditor, inside)
  }
}
