import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { DiskUnwritableError, type Manifest } from '@eldernode/core'
import type { Logger } from 'pino'
import { describe } from '../../ingest/index.ts'
import type { Library, Staging } from '../../library/index.ts'
import { readMetainfo, type Fetched, type Passage } from '../../swarm/index.ts'
import { ContentMismatchError, PoisonedError } from '../errors.ts'
import type { Room } from '../members/room.ts'
import type { Whole } from './arrival.ts'
import { checkFiles } from './file-list.ts'
import type { HolderClient } from './holder-client.ts'

/** Up to here an item comes over HTTP alone: to find peers and shake hands takes longer than its bytes do. */
const smallBytes = 2 ** 20
/** Up to here its bytes are committed from memory, durable with the catalog. */
const heldBytes = 64 * 1024
/** Each of them is a request. */
const mostFiles = 16
const holdersAsked = 4

export interface SmallItemsOptions {
  library: Pick<Library, 'hold' | 'stage'>
  client: Pick<HolderClient, 'bytes' | 'metainfo'>
  room: Pick<Room, 'reserve'>
  /** How what is downloaded of an item keeps to the limits. */
  passage(infoHash: string): Passage
  /** Told of a holder whose bytes were not the item's. */
  poisoned(infoHash: string, holder: string): void
  log: Logger
}

/** Brings small items here, each from one holder at a time, with one request for each of its files. */
export class SmallItems {
  readonly #options: SmallItemsOptions

  constructor(options: SmallItemsOptions) {
    this.#options = options
  }

  takes({ size, files, filesDigest }: Manifest): boolean {
    return size <= smallBytes && files.length <= mostFiles && filesDigest === undefined
  }

  /**
   * @param holders base URLs, the first to be asked first
   * @param came told of the bytes of files as they come, right or wrong
   * @returns the item, every byte of it verified; `undefined` when none of the holders gave it
   * @throws ContentMismatchError, NoRoomError, DiskFullError; the abort reason
   */
  async fetch(
    manifest: Manifest,
    holders: readonly string[],
    came: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Whole | undefined> {
    const { infoHash, size } = manifest
    const giveBack = await this.#options.room.reserve(infoHash, size)
    try {
      for (const holder of holders.slice(0, holdersAsked)) {
        const found = await this.#from(holder, manifest, came, signal)
        if (found === undefined) continue
        const staging = await this.#stage(manifest, found.bytes, giveBack)
        return { staging, files: manifest.files, fetched: found.fetched }
      }
    } catch (error) {
      giveBack()
      throw error
    }
    giveBack()
    return undefined
  }

  async #from(
    holder: string,
    manifest: Manifest,
    came: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<{ bytes: Uint8Array[]; fetched: Fetched } | undefined> {
    const { infoHash } = manifest
    try {
      const bytes = await this.#bytes(holder, manifest, came, signal)
      const fetched = await this.#described(holder, manifest, bytes, signal)
      checkDigests(manifest, bytes)
      return { bytes, fetched }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ContentMismatchError) throw error
      if (error instanceof PoisonedError) this.#options.poisoned(infoHash, holder)
      this.#options.log.debug({ err: error, infoHash, holder }, 'a holder did not give a small item')
      return undefined
    }
  }

  async #bytes(
    holder: string,
    { infoHash, name, files }: Manifest,
    came: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Uint8Array[]> {
    const passage = this.#options.passage(infoHash)
    try {
      const bytes: Uint8Array[] = []
      for (const { path, size } of files) {
        const isAlone = files.length === 1 && path === name
        const place = isAlone ? name : `${name}/${path}`
        bytes.push(await this.#options.client.bytes({ base: holder, infoHash, place, size, passage, came, signal }))
      }
      return bytes
    } finally {
      passage.end()
    }
  }

  /** Holds the bytes against the infohash. @throws PoisonedError, ContentMismatchError, HolderError, BadMetainfoError */
  async #described(
    holder: string,
    manifest: Manifest,
    bytes: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<Fetched> {
    const { infoHash, name, files } = manifest
    const pieces = sha1OfPieces(bytes, manifest.pieceLength)
    // An item that was published here or at another node is described by its bytes: nothing more is to be asked for.
    const own = describe({ ...manifest, pieces })
    if (own.infoHash === infoHash) return { metainfo: own.metainfo, name, files }
    const metainfo = await this.#options.client.metainfo(holder, infoHash, signal)
    const described = readMetainfo(metainfo, manifest)
    checkFiles(manifest, files, described)
    if (!Buffer.from(described.pieces).equals(pieces)) throw new PoisonedError(infoHash, holder)
    return { metainfo, name, files: described.files }
  }

  async #stage({ size }: Manifest, bytes: readonly Uint8Array[], giveBack: () => void): Promise<Staging> {
    const { library } = this.#options
    const staging = size <= heldBytes ? library.hold(bytes) : await library.stage()
    const promised: Staging = {
      folder: staging.folder,
      ...(staging.bytes === undefined ? {} : { bytes: staging.bytes }),
      filePath: (index) => staging.filePath(index),
      discard: async () => {
        await staging.discard()
        giveBack()
      },
    }
    if (staging.bytes !== undefined) return promised
    try {
      for (const [n, one] of bytes.entries()) await writeFile(staging.filePath(n), one, { mode: 0o640 })
    } catch (error) {
      await promised.discard()
      throw DiskUnwritableError.of(error, staging.folder)
    }
    return promised
  }
}

function sha1OfPieces(files: readonly Uint8Array[], pieceLength: number): Uint8Array {
  const bytes = files.length === 1 && files[0] !== undefined ? files[0] : Buffer.concat(files)
  const hashes: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += pieceLength) {
    hashes.push(
      createHash('sha1')
        .update(bytes.subarray(start, start + pieceLength))
        .digest(),
    )
  }
  return Buffer.concat(hashes)
}

/** @throws ContentMismatchError */
function checkDigests({ infoHash, files }: Manifest, bytes: readonly Uint8Array[]): void {
  for (const [n, { sha256 }] of files.entries()) {
    const found = createHash('sha256')
      .update(bytes[n] ?? new Uint8Array())
      .digest('hex')
    if (found === sha256) continue
    throw new ContentMismatchError(`file ${n} of item ${infoHash} has not the SHA-256 that its manifest signs`)
  }
}
