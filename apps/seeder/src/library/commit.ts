import { DiskUnwritableError } from '@eldernode/core'
import { isSame, printOf, syncPath } from './blobs.ts'
import type { Blobs } from './blobs.ts'
import type { Catalog } from './catalog.ts'
import type { SmallBlobs } from './small-blobs.ts'
import { StagingMismatchError } from './errors.ts'
import type { Item } from './item-port.ts'
import type { Library } from './port.ts'
import type { CommitOptions, Staging } from './storage-port.ts'
import type { Storage } from './storage.ts'

interface CommitParts {
  storage: Storage
  catalog: Catalog
  blobs: Blobs
  small: SmallBlobs
  /** How many commits rely on each blob right now. */
  pins: Map<string, number>
  /** Removes those of the blobs that neither the catalog nor a pin needs. */
  dropUnneeded: (hashes: Iterable<string>) => Promise<void>
  /** Told of other items that are held again because of the bytes that came. */
  changed(infoHashes: Iterable<string>): void
  now: () => number
}

const syncsAtOnce = 8

/**
 * The order that makes a crash harmless: bytes are synced before they get their name, names before the transaction
 * that speaks of them. Before the transaction the library sees nothing but leftovers; after it, the whole item.
 */
export function createCommit({
  storage,
  catalog,
  blobs,
  small,
  pins,
  dropUnneeded,
  changed,
  now,
}: CommitParts): Library['commit'] {
  /** Blobs that a commit under way gave their bytes. A leftover of a crash may have others. */
  const named = new Set<string>()

  const pin = (sha256: string, by: 1 | -1) => {
    const count = (pins.get(sha256) ?? 0) + by
    if (count === 0) pins.delete(sha256)
    else pins.set(sha256, count)
    if (count === 0) named.delete(sha256)
  }

  const isSound = (sha256: string) => {
    const record = catalog.blobs.get(sha256)
    return record?.state === 'sound' && !record.patchy && isSame(record, blobs.print(sha256))
  }

  /** Gives each file its name. @returns those that were not here before */
  const name = (staging: Staging, item: Item): string[] => {
    const placed = new Set<string>()
    for (const [n, { sha256, size }] of item.files.entries()) {
      if (placed.has(sha256) || isSound(sha256)) continue
      const other = named.has(sha256) && blobs.print(sha256)?.size === size
      const bytes = staging.bytes?.[n]
      if (!other && bytes === undefined) blobs.adopt(staging.filePath(n), sha256)
      else if (!other && bytes !== undefined) blobs.write(sha256, bytes)
      placed.add(sha256)
      named.add(sha256)
    }
    return [...placed]
  }

  /** Makes bytes durable that the transaction will not hold. */
  const syncSmall = async (hashes: string[]) => {
    for (const sha256 of hashes) await syncPath(blobs.path(sha256))
    await blobs.sync(hashes)
  }

  const place = async (staging: Staging, item: Item, metainfo: Uint8Array, options: CommitOptions) => {
    const placed = name(staging, item)
    const { describe, key, committed } = options
    const staged = new Map(item.files.map(({ sha256 }, n) => [sha256, staging.bytes?.[n]]))
    const held = staging.bytes !== undefined && small.hasRoomFor(item.size)
    if (staging.bytes === undefined) await blobs.sync(placed)
    else if (!held) await syncSmall(placed)
    // What was renamed on an empty mount point would vanish once the disk is back.
    storage.assertHere()
    const mended: string[] = []
    const result = await catalog.transactTogether(() => {
      const before = catalog.item(item.infoHash)
      for (const [sha256, bytes] of staged) {
        // Also one found sound above: a removal may have dropped its record since, and the pin kept its file.
        if (isSound(sha256)) continue
        const print = blobs.print(sha256)
        if (print === undefined) throw new StagingMismatchError(item.name, 'vanished while it was committed')
        const at = now()
        // The time of the last change changes once more when the other name goes.
        const { ctimeUs: _ctimeUs, ...lasting } = print
        mended.push(
          ...catalog.blobs.dropBadPieces(sha256),
          ...catalog.blobs.set({
            ...(staging.shared ? lasting : print),
            sha256,
            state: 'sound',
            writtenAt: at,
            verifiedAt: at,
          }),
        )
        if (held && bytes !== undefined) small.add(sha256, bytes)
      }
      const added = catalog.addItem(item, metainfo)
      if (added && describe === true) catalog.descriptions.add(item.infoHash)
      if (added && key !== undefined) catalog.keys.add(item.infoHash, key)
      const after = catalog.item(item.infoHash)
      if (after === undefined) throw new StagingMismatchError(item.name, 'does not make the item whole')
      committed?.()
      return { item: after, created: before === undefined }
    })
    const others = new Set(mended)
    others.delete(item.infoHash)
    if (others.size > 0) changed(others)
    return result
  }

  return async (staging, item, metainfo, options = {}) => {
    const hashes = [...new Set(item.files.map((file) => file.sha256))]
    try {
      // Small files are written at once, and the question comes behind that.
      if (staging.bytes === undefined) storage.assertHere()
      else storage.assertSeen()
      const held = catalog.item(item.infoHash)
      if (held !== undefined) return { item: held, created: false }
      if (staging.bytes === undefined) await syncStaged(staging, item)
      else checkSizes(staging.bytes, item)
      for (const sha256 of hashes) pin(sha256, 1)
      let done = false
      try {
        const result = await place(staging, item, metainfo, options)
        done = true
        return result
      } finally {
        for (const sha256 of hashes) pin(sha256, -1)
        if (!done) await dropUnneeded(hashes)
      }
    } catch (error) {
      storage.assertHere()
      throw DiskUnwritableError.of(error, storage.folder)
    } finally {
      await staging.discard()
    }
  }
}

/** @throws StagingMismatchError */
function checkSizes(bytes: readonly Uint8Array[], item: Item): void {
  for (const [n, { path, size }] of item.files.entries())
    if (bytes[n]?.length !== size)
      throw new StagingMismatchError(path, `has ${bytes[n]?.length ?? 0} bytes, not ${size}`)
}

/** Makes every staged file's bytes durable. @throws StagingMismatchError */
async function syncStaged(staging: Staging, item: Item): Promise<void> {
  const queue = item.files.entries()
  const work = async () => {
    for (const [n, file] of queue) {
      const size = printOf(staging.filePath(n))?.size
      if (size !== file.size)
        throw new StagingMismatchError(
          file.path,
          size === undefined ? 'is missing' : `has ${size} bytes, not ${file.size}`,
        )
      await syncPath(staging.filePath(n))
    }
  }
  await Promise.all(Array.from({ length: syncsAtOnce }, work))
}
