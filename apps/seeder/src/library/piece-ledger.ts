import { InvalidInputError } from '@eldernode/core'
import type { Catalog } from './catalog.ts'
import { UnknownItemError } from './errors.ts'
import { pieceCount } from './pieces.ts'
import type { Pieces } from './item-port.ts'
import type { Storage } from './storage.ts'

export interface PieceLedgerParts {
  catalog: Catalog
  storage: Pick<Storage, 'isHere'>
  /** Told of items that are not held any more. */
  changed(infoHashes: Iterable<string>): void
}

/** What is known of the pieces of items. */
export class PieceLedger {
  readonly #parts: PieceLedgerParts

  constructor(parts: PieceLedgerParts) {
    this.#parts = parts
  }

  of(infoHash: string): Pieces | undefined {
    const { catalog } = this.#parts
    const shape = catalog.shape(infoHash)
    if (shape === undefined) return undefined
    const verifiedAt = catalog.pieces.get(infoHash, pieceCount(shape.size, shape.pieceLength))
    let whole = Infinity
    for (const blob of catalog.blobs.of(infoHash)) whole = Math.min(whole, Math.floor(blob.verifiedAt / 1000))
    for (const [piece, at] of verifiedAt.entries()) if (at < whole) verifiedAt[piece] = whole
    const bad = catalog.blobs.badPieces(infoHash)
    for (const piece of bad) verifiedAt[piece] = 0
    return { verifiedAt, bad }
  }

  quarantine(infoHash: string, piece: number): void {
    const { catalog, storage, changed } = this.#parts
    const shape = catalog.shape(infoHash)
    if (shape === undefined) throw new UnknownItemError(infoHash)
    const { size, pieceLength } = shape
    if (!Number.isSafeInteger(piece) || piece < 0 || piece >= pieceCount(size, pieceLength))
      throw new InvalidInputError(`Item ${infoHash} has no piece ${piece}.`)
    const [from, to] = [piece * pieceLength, (piece + 1) * pieceLength]
    let at = 0
    const under = new Set<string>()
    for (const file of catalog.extents(infoHash)) {
      if (file.size > 0 && at < to && at + file.size > from) under.add(file.sha256)
      at += file.size
    }
    // A disk that is not there, or another one in its place, says nothing of the item's bytes.
    if (!storage.isHere()) return
    const lost = catalog.transact(() =>
      [...under].flatMap((sha256) => catalog.blobs.addBadPiece(sha256, infoHash, piece)),
    )
    changed(new Set(lost))
  }
}
