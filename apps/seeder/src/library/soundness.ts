import type { BlobRecord, BlobState } from './blob-table.ts'
import { isSame } from './blobs.ts'
import type { OpenBlobs } from './open-blobs.ts'
import type { Blobs, Print } from './blobs.ts'
import type { Catalog } from './catalog.ts'
import type { Digest } from './storage-port.ts'
import type { Storage } from './storage.ts'

export interface SoundnessParts {
  catalog: Catalog
  blobs: Blobs
  openBlobs: Pick<OpenBlobs, 'print'>
  digest: Digest
  storage: Storage
  /** Told of items whose condition changed, after the catalog says so. */
  changed(infoHashes: Iterable<string>): void
  now: () => number
}

/** A bad piece that was written anew, whose file is hashed because of it. */
interface Mended {
  infoHash: string
  piece: number
}

/** The modification time noted for a blob whose bytes were found wrong: no file has it. */
const never = -1
const lostCodes = new Set<unknown>(['ENOENT', 'EIO'])
const looksAtOnce = 8

/** Keeps account of which blobs are what the catalog says. */
export class Soundness {
  readonly #parts: SoundnessParts
  readonly #running = new Map<string, Promise<void>>()

  constructor(parts: SoundnessParts) {
    this.#parts = parts
  }

  /** Compares the blobs of an item with the catalog. @returns whether all are there, sound or patchy */
  async check(infoHash: string): Promise<boolean> {
    await this.compare(this.#parts.catalog.blobs.of(infoHash))
    const condition = this.#parts.catalog.conditions.of(infoHash)
    return this.#parts.storage.state === 'here' && (condition === 'held' || condition === 'patchy')
  }

  /** `check` of one blob. @returns whether its bytes may be given to anybody as they are */
  async checkBlob(sha256: string): Promise<boolean> {
    const { blobs } = this.#parts.catalog
    const record = blobs.get(sha256)
    const open = this.#parts.openBlobs.print(sha256)
    if (record !== undefined && (open === undefined || isNews(record, open))) await this.compare([record])
    return this.#parts.storage.state === 'here' && isSound(blobs.get(sha256))
  }

  /**
   * Compares files with what is noted of them, reading none, and notes what changed. The first that cannot be looked at
   * fails it, unless `unreadable` is there to be told of each.
   */
  async compare(records: readonly BlobRecord[], unreadable?: (error: unknown) => void): Promise<void> {
    const { blobs } = this.#parts
    const differing: string[] = []
    const queue = records.values()
    const work = async () => {
      for (const record of queue) {
        try {
          if (isNews(record, await blobs.look(record.sha256))) differing.push(record.sha256)
        } catch (error) {
          if (unreadable === undefined) throw error
          unreadable(error)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(looksAtOnce, records.length) }, work))
    if (differing.length > 0) this.#note(differing)
  }

  /** Hashes blobs of an item: those that may have changed, or `all`. */
  async verify(infoHash: string, { all = false, signal }: { all?: boolean; signal?: AbortSignal }): Promise<void> {
    for (const { sha256, state } of this.#parts.catalog.blobs.of(infoHash)) {
      signal?.throwIfAborted()
      if (all || state !== 'sound') await this.#hashOnce(sha256, signal)
    }
  }

  /** Hashes the files under a mended piece that have no other bad piece. */
  async mended(infoHash: string, piece: number, signal?: AbortSignal): Promise<void> {
    const { catalog } = this.#parts
    for (const sha256 of catalog.blobs.under(infoHash, piece)) {
      signal?.throwIfAborted()
      while (this.#running.has(sha256)) await Promise.allSettled([this.#running.get(sha256)])
      if (catalog.blobs.badPieces(infoHash, sha256).some((other) => other !== piece))
        this.#change(() => catalog.blobs.dropBadPieces(sha256, infoHash, piece))
      else await this.#hashOnce(sha256, signal, { infoHash, piece })
    }
  }

  #hashOnce(sha256: string, signal?: AbortSignal, mended?: Mended): Promise<void> {
    const run =
      this.#running.get(sha256) ?? this.#hash(sha256, signal, mended).finally(() => this.#running.delete(sha256))
    this.#running.set(sha256, run)
    return run
  }

  async #hash(sha256: string, signal?: AbortSignal, mended?: Mended): Promise<void> {
    const { catalog, blobs, digest, storage, now } = this.#parts
    for (;;) {
      storage.assertHere()
      const print = blobs.print(sha256)
      const found = print && (await digest(blobs.path(sha256), signal).catch(lost))
      const record = catalog.blobs.get(sha256)
      if (record === undefined) return
      // Somebody may have put fresh bytes in its place while the old ones were read.
      if (print && !isSame(print, blobs.print(sha256))) continue
      // A disk that went away makes no blob wrong.
      if (found === undefined) storage.assertHere()
      this.#change(() => {
        if (mended) catalog.blobs.dropBadPieces(sha256, mended.infoHash, mended.piece)
        if (print && found?.sha256 === sha256) {
          catalog.blobs.dropBadPieces(sha256)
          catalog.blobs.set({ ...record, ...print, state: 'sound', verifiedAt: now() })
        } else if (print && catalog.blobs.get(sha256)?.patchy === true) {
          // Pieces known to be wrong explain a wrong hash: they are mended in place.
          catalog.blobs.set({ ...record, ...print, state: 'sound' })
        } else this.#condemn(record)
        return isSound(record) && isSound(catalog.blobs.get(sha256)) ? [] : catalog.blobs.owners(sha256)
      })
      return
    }
  }

  #condemn(record: BlobRecord): void {
    const { blobs, storage } = this.#parts
    const { sha256 } = record
    const print = blobs.print(sha256)
    if (print !== undefined) {
      blobs.moveTo(sha256, storage.quarantine.path(sha256))
      storage.quarantine.took(print.size)
    }
    this.#lose({ ...record, mtimeUs: never })
  }

  #lose(record: BlobRecord): void {
    const { blobs } = this.#parts.catalog
    if (record.patchy) blobs.dropBadPieces(record.sha256)
    blobs.set({ ...record, state: 'damaged' })
  }

  /** Looks once more, with nothing happening in between, and notes what is found. */
  #note(hashes: readonly string[]): void {
    const { catalog, blobs, storage } = this.#parts
    if (!storage.isHere()) return
    const news = new Set<string>()
    this.#change(() => {
      for (const sha256 of hashes) {
        const record = catalog.blobs.get(sha256)
        const print = record && blobs.print(sha256)
        if (record === undefined || !isNews(record, print)) continue
        const state = stateOf(record, print)
        if (state !== record.state) for (const infoHash of catalog.blobs.owners(sha256)) news.add(infoHash)
        if (state === 'damaged') this.#lose(record)
        else catalog.blobs.set({ ...record, ...(state === 'sound' && print), state })
      }
      return news
    })
  }

  #change(work: () => Iterable<string>): void {
    const changed = new Set(this.#parts.catalog.transact(work))
    if (changed.size > 0) this.#parts.changed(changed)
  }
}

function isSound(record: BlobRecord | undefined): boolean {
  return record?.state === 'sound' && !record.patchy
}

/** The state that the print alone speaks for. */
function stateOf(record: BlobRecord, print: Print | undefined): BlobState {
  if (print?.size !== record.size) return 'damaged'
  // Its bytes are being mended in place; each piece is checked when it is read.
  if (record.patchy) return record.state
  return isSame(record, print) && record.state !== 'suspect' ? 'sound' : 'suspect'
}

/** Whether there is something to note: another state, or a print that is fuller than the one noted. */
function isNews(record: BlobRecord, print: Print | undefined): boolean {
  const state = stateOf(record, print)
  return state !== record.state || (state === 'sound' && !record.patchy && record.inode === undefined)
}

function lost(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && lostCodes.has(error.code)) return undefined
  throw error
}
