import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskFullError } from '@eldernode/core'
import { openBlobs, prefixes } from './blobs.ts'
import type { Blobs } from './blobs.ts'
import { Catalog } from './catalog.ts'
import { createCommit } from './commit.ts'
import { formatCursor, parseCursor } from './cursor.ts'
import { CatalogMissingError, UnknownItemError } from './errors.ts'
import { lockFolder } from './lock.ts'
import type { Digest, Library } from './port.ts'
import { createSoundness } from './soundness.ts'
import { createStaging } from './staging.ts'

export interface LibraryOptions {
  /** The data folder; made when missing. */
  folder: string
  digest: Digest
}

/** Opens the library in `<folder>/{catalog.db,blobs,incoming,quarantine}`, in time that depends on files, not bytes. */
export async function openLibrary({ folder, digest }: LibraryOptions): Promise<Library> {
  const incoming = join(folder, 'incoming')
  const quarantine = join(folder, 'quarantine')
  for (const path of [incoming, quarantine, join(folder, 'blobs')]) mkdirSync(path, { recursive: true, mode: 0o750 })
  const unlock = lockFolder(folder)
  let catalog: Catalog | undefined
  try {
    const blobs = await openBlobs(join(folder, 'blobs'))
    const path = join(folder, 'catalog.db')
    if (!existsSync(path) && prefixes.some((prefix) => blobs.names(prefix).length > 0))
      throw new CatalogMissingError(folder)
    catalog = new Catalog(path)
    for (const name of readdirSync(incoming)) await rm(join(incoming, name), { recursive: true, force: true })
    return await build(folder, catalog, blobs, digest, unlock)
  } catch (error) {
    catalog?.close()
    unlock()
    throw DiskFullError.of(error, folder)
  }
}

async function build(
  folder: string,
  catalog: Catalog,
  blobs: Blobs,
  digest: Digest,
  unlock: () => void,
): Promise<Library> {
  const incoming = join(folder, 'incoming')
  const soundness = createSoundness({ catalog, blobs, digest, quarantine: join(folder, 'quarantine') })
  await soundness.survey()

  /** Blobs whose item is being committed: no one else may remove them, whatever the catalog says. */
  const pins = new Map<string, number>()

  const dropUnneeded = async (hashes: Iterable<string>) => {
    for (const sha256 of hashes) {
      // No await between the questions and the move: a commit may begin to rely on the blob at any await.
      if (pins.has(sha256) || catalog.blob(sha256) !== undefined || blobs.print(sha256) === undefined) continue
      const trash = join(incoming, randomBytes(12).toString('hex'))
      blobs.moveTo(sha256, trash)
      await rm(trash, { force: true })
    }
  }

  return {
    stage: async () => {
      try {
        return await createStaging(incoming)
      } catch (error) {
        throw DiskFullError.of(error, folder)
      }
    },
    commit: createCommit({ folder, catalog, blobs, pins, dropUnneeded }),
    get: (infoHash) => catalog.item(infoHash),
    bySha256: (sha256) => catalog.oldestWith(sha256),
    file: (id, path) => {
      const found = catalog.file(id, path)
      return found?.file === undefined || soundness.checkBlob(found.file.sha256) ? found : undefined
    },
    list: ({ cursor, limit }) => {
      const items = catalog.newest(limit + 1, cursor === undefined ? undefined : parseCursor(cursor))
      const last = items.length > limit ? items[limit - 1] : undefined
      return last === undefined ? { items } : { items: items.slice(0, limit), nextCursor: formatCursor(last) }
    },
    all: () => catalog.all(),
    metainfo: (infoHash) => catalog.metainfo(infoHash),
    blobPath: (sha256) => blobs.path(sha256),
    retract: (infoHash, purgeAfter) => {
      if (!catalog.setState(infoHash, 'retracted', purgeAfter)) throw new UnknownItemError(infoHash)
    },
    restore: (infoHash) => {
      if (!catalog.setState(infoHash, 'live')) throw new UnknownItemError(infoHash)
    },
    remove: async (infoHash) => {
      await dropUnneeded(catalog.transact(() => catalog.removeItem(infoHash)))
    },
    purgeable: (now) => catalog.purgeable(now),
    purge: async (infoHash, now) => {
      const dropped = catalog.transact(() => {
        const item = catalog.item(infoHash, false)
        const due = item?.state === 'retracted' && (item.purgeAfter ?? Infinity) <= now
        return due ? catalog.removeItem(infoHash) : undefined
      })
      if (dropped !== undefined) await dropUnneeded(dropped)
      return dropped !== undefined
    },
    nextPurge: () => catalog.nextPurge(),
    refuse: (infoHash, until, now) => catalog.transact(() => catalog.refuse(infoHash, until, now)),
    forgive: (infoHash) => catalog.forgive(infoHash),
    refused: (now) => catalog.refused(now),
    check: (infoHash) => soundness.check(infoHash),
    suspects: () => catalog.lost(false),
    damaged: () => catalog.lost(true),
    verify: (infoHash, options) => soundness.verify(infoHash, options ?? {}),
    totals: () => ({ ...catalog.totals() }),
    close: () => {
      catalog.close()
      unlock()
    },
  }
}
