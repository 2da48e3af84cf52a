import { stat } from 'node:fs/promises'
import { type Blobs, syncPath } from './blobs.ts'
import type { Catalog } from './catalog.ts'
import type { Storage } from './storage.ts'

/** Systems write their caches back within half a minute or so: after that a sync finds nothing left to do. */
const restMs = 60_000
const settledAtOnce = 256
const syncsAtOnce = 4
/** In the catalog at a time; what comes beyond it is synced to the disk by itself. */
const mostBytes = 64 * 1024 * 1024

interface SmallBlobsParts {
  catalog: Catalog
  blobs: Blobs
  storage: Storage
  now: () => number
}

/**
 * Small blobs, durable by the catalog: their bytes are in the transaction that makes their item, so that many items
 * share one sync. The files that everybody reads are written beside it and synced later, when that costs nothing; then
 * the catalog drops its copy. After a crash the files are made from it again.
 */
export class SmallBlobs {
  readonly #parts: SmallBlobsParts
  #closed = false

  constructor(parts: SmallBlobsParts) {
    this.#parts = parts
  }

  hasRoomFor(bytes: number): boolean {
    return this.#parts.catalog.smallBlobs.bytes + bytes <= mostBytes
  }

  /** To be called in the transaction that makes the item, behind the blob's own row. */
  add(sha256: string, bytes: Uint8Array): void {
    this.#parts.catalog.smallBlobs.add(sha256, bytes, this.#parts.now())
  }

  /** Makes files that a crash took, or changed, what they were. */
  recover(): void {
    const { catalog, blobs, storage, now } = this.#parts
    if (storage.state !== 'here') return
    catalog.transact(() => {
      for (const { sha256, bytes } of catalog.smallBlobs.all()) {
        if (!blobs.has(sha256, bytes)) blobs.write(sha256, bytes)
        const [record, print] = [catalog.blobs.get(sha256), blobs.print(sha256)]
        if (record === undefined || print === undefined) continue
        catalog.blobs.dropBadPieces(sha256)
        catalog.blobs.set({ ...record, ...print, state: 'sound', verifiedAt: now() })
      }
    })
  }

  /** Syncs files that were written a while ago. */
  async settle(): Promise<void> {
    const { catalog, blobs, storage, now } = this.#parts
    while (!this.#closed && storage.state === 'here') {
      const hashes = catalog.smallBlobs.before(now() - restMs, settledAtOnce)
      if (hashes.length === 0) return
      const found = await syncAll(hashes, blobs)
      await blobs.sync(found)
      // A file that is missing stays here, to be made again; so do all while the disk may be away.
      if (this.#closed || !storage.isHere()) return
      catalog.transact(() => {
        for (const sha256 of found) catalog.smallBlobs.remove(sha256)
      })
      if (found.length < hashes.length) return
    }
  }

  close(): void {
    this.#closed = true
  }
}

/** @returns those that are there */
async function syncAll(hashes: string[], blobs: Blobs): Promise<string[]> {
  const queue = hashes.values()
  const found: string[] = []
  const work = async () => {
    for (const sha256 of queue) {
      const path = blobs.path(sha256)
      if (!(await stat(path).catch(() => undefined))?.isFile()) continue
      await syncPath(path)
      found.push(sha256)
    }
  }
  await Promise.all(Array.from({ length: syncsAtOnce }, work))
  return found
}
