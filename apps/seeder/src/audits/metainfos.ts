import type { NodeId } from '@eldernode/core'
import type { Library } from '../library/index.ts'
import { readMetainfo } from '../swarm/index.ts'

/** SHA-1 of each piece, one after the other, and how long they are. */
export interface PieceHashes {
  pieceLength: number
  size: number
  hashes: Uint8Array
}

export interface MetainfosOptions {
  library: Pick<Library, 'metainfo'>
  /** Fetches an item's .torrent file from a holder. */
  fetch(holder: NodeId, infoHash: string, signal: AbortSignal): Promise<Uint8Array>
}

/** Bytes of hashes remembered of items that are not held here. */
const mostBytes = 16 * 2 ** 20
/** What remembering an item costs beside its hashes. */
const entryBytes = 200

/** What the pieces of items must be: by the own catalog, or by what the holder says that fits the infohash. */
export class Metainfos {
  readonly #options: MetainfosOptions
  /** In the order of their last use. */
  readonly #known = new Map<string, PieceHashes>()
  #bytes = 0

  constructor(options: MetainfosOptions) {
    this.#options = options
  }

  /** @throws BadMetainfoError, InvalidInputError for what does not fit the infohash; what `fetch` throws */
  async get(holder: NodeId, infoHash: string, signal: AbortSignal): Promise<PieceHashes> {
    const known = this.#known.get(infoHash)
    if (known !== undefined) {
      this.#known.delete(infoHash)
      this.#known.set(infoHash, known)
      return known
    }
    const own = this.#options.library.metainfo(infoHash)
    const { pieceLength, size, pieces } = readMetainfo(own ?? (await this.#options.fetch(holder, infoHash, signal)), {
      infoHash,
    })
    const found = { pieceLength, size, hashes: Uint8Array.from(pieces) }
    this.#keep(infoHash, found)
    return found
  }

  #keep(infoHash: string, found: PieceHashes): void {
    if (this.#known.has(infoHash)) return
    this.#known.set(infoHash, found)
    this.#bytes += found.hashes.length + entryBytes
    for (const [oldest, { hashes }] of this.#known) {
      if (this.#bytes <= mostBytes) return
      this.#known.delete(oldest)
      this.#bytes -= hashes.length + entryBytes
    }
  }
}
