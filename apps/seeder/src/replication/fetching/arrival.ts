import { open, type FileHandle } from 'node:fs/promises'
import type { ItemFile, Manifest } from '@eldernode/core'
import type { Staging } from '../../library/index.ts'
import type { Fetched, FetchRequest, Picks } from '../../swarm/index.ts'
import { TransferCancelledError } from '../errors.ts'
import { PieceNews } from './piece-news.ts'

/** An item whose every byte is in staging and is what its publisher signed. */
export interface Whole {
  staging: Staging
  files: ItemFile[]
  fetched: Fetched
}

/** How an arrival gets its bytes. Each of them is aborted by the signal, and has let go of the disk when it settles. */
export interface ArrivalSteps {
  /** All files of the item, as the publisher signed them. */
  list(signal: AbortSignal): Promise<ItemFile[]>
  stage(): Promise<Staging>
  download(staging: Staging, hooks: ArrivalHooks, signal: AbortSignal): Promise<Fetched>
  /** @throws ContentMismatchError when a file in staging is not the one that was signed */
  verify(staging: Staging, index: number, file: ItemFile, signal: AbortSignal): Promise<void>
  /** @throws ContentMismatchError when the torrent has other files */
  check(files: readonly ItemFile[], fetched: Fetched): void
  blobPath(sha256: string): string
}

export type ArrivalHooks = Required<Pick<FetchRequest, 'picks' | 'onPiece' | 'onProgress'>>

/**
 * One item on its way here, which several may use at the same time: who keeps a copy, and who reads it meanwhile. Only
 * what some of them want is fetched.
 */
export class Arrival {
  readonly manifest: Manifest
  /** Settles once the files' names and digests are known. */
  readonly files: Promise<ItemFile[]>
  /** Settles once every byte is here and verified. */
  readonly whole: Promise<Whole>
  /** Settles, and never rejects, when nothing of it touches the disk any more. */
  readonly ended: Promise<void>
  readonly #steps: ArrivalSteps
  readonly #abort = new AbortController()
  readonly #news = new PieceNews()
  readonly #sound = new Map<number, Promise<void>>()
  readonly #picks = Promise.withResolvers<Picks>()
  /** Told of bytes as they arrive, by who watches over the transfer. */
  onProgress: ((received: number, verified: number) => void) | undefined
  #staging: Staging | undefined
  #received = 0
  #isWhole = false

  constructor(manifest: Manifest, steps: ArrivalSteps) {
    this.manifest = manifest
    this.#steps = steps
    const { signal } = this.#abort
    const staged = steps.stage()
    this.files = staged.then(() => steps.list(signal))
    this.whole = this.#run(staged)
    this.ended = this.whole.then(
      () => undefined,
      () => undefined,
    )
    const ignore = (): void => undefined
    for (const promise of [this.files, this.#picks.promise]) promise.catch(ignore)
    this.whole.catch((error: unknown) => {
      this.#picks.reject(error)
      this.#news.fail(error)
    })
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Bytes that came so far. */
  get received(): number {
    return this.#received
  }

  /** Why it cannot go on; undefined while it can. */
  get failure(): unknown {
    return this.#news.failure
  }

  /** Ends it for all who use it. Resolves when it has let go of the disk. */
  async end(why: unknown): Promise<void> {
    this.#abort.abort(why)
    await this.ended
    await this.#staging?.discard()
  }

  /** What is asked for; known once there is metadata. Rejects when the arrival fails. */
  get picks(): Promise<Picks> {
    return this.#picks.promise
  }

  /** Resolves at the next piece. @throws what the arrival fails with; the abort reason */
  next(signal: AbortSignal): Promise<void> {
    return this.#news.next(signal)
  }

  /** Opens a file of which some bytes are here, wherever it lies by now. */
  async open(index: number, { sha256 }: ItemFile): Promise<FileHandle> {
    const staging = this.#staging
    if (staging === undefined) throw new TransferCancelledError(this.manifest.infoHash, 'nothing of it is here')
    try {
      return await open(staging.filePath(index), 'r')
    } catch (error) {
      // Committed meanwhile: its name is another, its bytes are the same.
      if (this.#isWhole && isAbsence(error)) return await open(this.#steps.blobPath(sha256), 'r')
      throw error
    }
  }

  /** Whether a file whose pieces are all here is the one that was signed. @throws ContentMismatchError */
  async sound(index: number, file: ItemFile): Promise<void> {
    const { signal } = this.#abort
    const staging = this.#staging
    if (staging === undefined || this.#isWhole) return
    const checked = this.#sound.get(index) ?? this.#steps.verify(staging, index, file, signal)
    this.#sound.set(index, checked)
    try {
      await checked
    } catch (error) {
      this.#abort.abort(error)
      throw error
    }
  }

  async #run(staged: Promise<Staging>): Promise<Whole> {
    const { signal } = this.#abort
    const staging = await staged
    this.#staging = staging
    try {
      const files = await this.files
      const hooks = {
        picks: (picks: Picks) => this.#picks.resolve(picks),
        onPiece: () => this.#news.tell(),
        onProgress: (received: number, verified: number) => {
          this.#received = received
          this.onProgress?.(received, verified)
        },
      }
      const fetched = await this.#steps.download(staging, hooks, signal)
      this.#steps.check(files, fetched)
      for (const [index, file] of files.entries()) await this.sound(index, file)
      signal.throwIfAborted()
      this.#isWhole = true
      this.#news.tell()
      return { staging, files, fetched }
    } catch (error) {
      await staging.discard()
      throw error
    }
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
