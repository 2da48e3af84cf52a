import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskFullError, DiskUnwritableError } from '@eldernode/core'
import { blobsIn } from './blobs.ts'
import { Catalog } from './catalog.ts'
import { createCommit } from './commit.ts'
import { formatCursor, parseCursor } from './cursor.ts'
import { UnknownItemError } from './errors.ts'
import { lockFolder } from './lock.ts'
import { OpenBlobs } from './open-blobs.ts'
import { PieceLedger } from './piece-ledger.ts'
import type { Library } from './port.ts'
import type { Digest, StorageState } from './storage-port.ts'
import { Soundness } from './soundness.ts'
import { salvage } from './salvage.ts'
import { SmallBlobs } from './small-blobs.ts'
import { createStaging, heldInMemory } from './staging.ts'
import { assertUnused, Storage } from './storage.ts'
import { Survey } from './survey.ts'

const filesInList = 100

export interface LibraryOptions {
  /** The data folder; made when missing. */
  folder: string
  /** The storage folder, without it the data folder. Made when missing, unless the library has one already. */
  storage?: string
  digest: Digest
  now?: () => number
}

/**
 * Opens the library: `<folder>/catalog.db` and `<storage>/{blobs,incoming,quarantine}`. It looks at no blob, so that the
 * time does not grow with their number.
 * @throws DataFolderLockedError, CatalogMissingError, CatalogTooNewError
 */
export async function openLibrary({
  folder,
  storage = folder,
  digest,
  now = Date.now,
}: LibraryOptions): Promise<Library> {
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  const unlock = lockFolder(folder)
  let catalog: Catalog | undefined
  try {
    const path = join(folder, 'catalog.db')
    if (!existsSync(path)) await assertUnused(storage)
    catalog = new Catalog(path)
    return await build(storage, catalog, digest, now, unlock)
  } catch (error) {
    catalog?.close()
    unlock()
    throw DiskFullError.of(error, folder)
  }
}

async function build(
  folder: string,
  catalog: Catalog,
  digest: Digest,
  now: () => number,
  unlock: () => void,
): Promise<Library> {
  const conditionListeners = new Set<(infoHash: string) => void>()
  const storageListeners = new Set<(state: StorageState) => void>()
  const changed = (infoHashes: Iterable<string>) => {
    for (const infoHash of infoHashes) for (const listener of conditionListeners) listener(infoHash)
  }

  const blobs = blobsIn(join(folder, 'blobs'))
  const openBlobs = new OpenBlobs((sha256) => blobs.path(sha256))
  const storage = new Storage({
    folder,
    blobs,
    catalog,
    changed: (state) => {
      if (opened) small.recover()
      storageListeners.forEach((listener) => listener(state))
    },
  })
  const small = new SmallBlobs({ catalog, blobs, storage, now })
  let opened = false
  await storage.look()
  catalog.life.begin(now())
  small.recover()
  opened = true
  const soundness = new Soundness({ catalog, blobs, openBlobs, digest, storage, changed, now })
  const pieces = new PieceLedger({ catalog, storage, changed })

  /** Blobs whose item is being committed: no one else may remove them, whatever the catalog says. */
  const pins = new Map<string, number>()

  const dropUnneeded = async (hashes: Iterable<string>) => {
    for (const sha256 of hashes) {
      // What is on a disk that is away is swept once it is back.
      if (!storage.isHere()) return
      // No await between the questions and the move: a commit may begin to rely on the blob at any await.
      if (pins.has(sha256) || catalog.blobs.get(sha256) !== undefined) continue
      if (blobs.print(sha256) !== undefined) {
        const trash = join(storage.incoming, randomBytes(12).toString('hex'))
        blobs.moveTo(sha256, trash)
        await rm(trash, { force: true })
      }
      await storage.quarantine.drop(sha256)
    }
  }

  const survey = new Survey({ catalog, blobs, soundness, storage, dropUnneeded, now })

  return {
    about: catalog.about,
    descriptions: catalog.descriptions,
    keys: catalog.keys,
    imports: catalog.imports,
    uploads: catalog.uploads,
    answers: catalog.answers,
    jobs: catalog.jobs,
    stage: async () => {
      storage.assertHere()
      try {
        return await createStaging(storage.incoming)
      } catch (error) {
        storage.assertHere()
        throw DiskUnwritableError.of(error, folder)
      }
    },
    hold: (bytes) => {
      storage.assertSeen()
      return heldInMemory(storage.incoming, bytes)
    },
    salvage: async (infoHash, staging) => {
      const item = catalog.item(infoHash, false)
      return item === undefined ? 0 : await salvage(item, staging, blobs, storage.quarantine.folder)
    },
    commit: createCommit({ storage, catalog, blobs, small, pins, dropUnneeded, changed, now }),
    get: (infoHash) => catalog.item(infoHash),
    bySha256: (sha256) => catalog.oldestWith(sha256),
    ownOrPublic: (sha256, owner) => catalog.ownOrPublic(sha256, owner),
    file: async (id, path) => {
      const found = catalog.file(id, path)
      if (found?.file === undefined) return found
      storage.assertSeen()
      const isSound = await soundness.checkBlob(found.file.sha256).catch((error: unknown) => {
        storage.assertHere()
        throw error
      })
      // What is missing may be so with all the rest of the disk.
      storage.assertSeen()
      return isSound ? found : undefined
    },
    list: ({ cursor, limit, files = filesInList, ...filter }) => {
      const below = cursor === undefined ? undefined : parseCursor(cursor)
      const found = catalog.listing.page(filter, limit + 1, files, below)
      const items = found.slice(0, limit).map(({ item }) => item)
      const last = found.length > limit ? found[limit - 1] : undefined
      return last === undefined ? { items } : { items, nextCursor: formatCursor(last.place) }
    },
    all: () => catalog.lists.all(),
    heads: () => catalog.lists.heads(),
    servable: () => (storage.state === 'here' ? servable(catalog) : []),
    metainfo: (infoHash) => catalog.metainfo(infoHash),
    blobPath: (sha256) => blobs.path(sha256),
    openBlob: (sha256) => openBlobs.open(sha256),
    retract: (infoHash, purgeAfter) => {
      if (!catalog.setState(infoHash, 'retracted', purgeAfter)) throw new UnknownItemError(infoHash)
    },
    restore: (infoHash) => {
      if (!catalog.setState(infoHash, 'live')) throw new UnknownItemError(infoHash)
    },
    inherit: (infoHash, publisher) => catalog.setPublisher(infoHash, publisher),
    remove: async (infoHash) => {
      await dropUnneeded(catalog.transact(() => catalog.removeItem(infoHash)))
    },
    purgeable: (at) => catalog.purgeable(at),
    purge: async (infoHash, at) => {
      const dropped = catalog.transact(() => {
        const item = catalog.item(infoHash, false)
        const due = item?.state === 'retracted' && (item.purgeAfter ?? Infinity) <= at
        if (!due) return undefined
        catalog.keys.delete(infoHash)
        return catalog.removeItem(infoHash)
      })
      if (dropped !== undefined) await dropUnneeded(dropped)
      return dropped !== undefined
    },
    controls: (infoHash) => catalog.controls.get(infoHash),
    control: (infoHash, controls) => catalog.controls.set(infoHash, controls),
    isPaused: (infoHash) => catalog.controls.isPaused(infoHash),
    pausedCount: () => catalog.controls.pausedCount,
    nextPurge: () => catalog.nextPurge(),
    refuse: (infoHash, until, at) => catalog.transact(() => catalog.refuse(infoHash, until, at)),
    forgive: (infoHash) => catalog.forgive(infoHash),
    refused: (at) => catalog.refused(at),
    survey: (position, most, unreadable) => survey.step(position, most, unreadable),
    check: (infoHash) => soundness.check(infoHash),
    head: (id) => catalog.head(id),
    record: (infoHash) => catalog.item(infoHash, false),
    condition: (infoHash) => catalog.conditions.of(infoHash),
    open: async (infoHash) => {
      const wasSuspect = catalog.conditions.of(infoHash) === 'suspect'
      const isWhole = await soundness.check(infoHash)
      if (wasSuspect && catalog.conditions.of(infoHash) === 'suspect') changed([infoHash])
      if (!isWhole) return undefined
      const metainfo = catalog.metainfo(infoHash)
      if (metainfo === undefined || catalog.head(infoHash)?.state !== 'live') return undefined
      const files = catalog.extents(infoHash).map(({ sha256, size }) => ({ path: blobs.path(sha256), size }))
      return { infoHash, metainfo, files, bad: catalog.blobs.badPieces(infoHash) }
    },
    suspects: () => catalog.conditions.suspects(),
    patchy: () => catalog.conditions.patchy(),
    damaged: () => catalog.conditions.damaged(),
    verify: async (infoHash, options) => {
      await soundness.verify(infoHash, options ?? {})
      return catalog.conditions.of(infoHash) === 'held'
    },
    pieces: (infoHash) => pieces.of(infoHash),
    recordPieces: (infoHash, verifiedAt) => catalog.pieces.set(infoHash, verifiedAt),
    quarantinePiece: (infoHash, piece) => pieces.quarantine(infoHash, piece),
    mendedPiece: async (infoHash, piece, signal) => {
      await soundness.mended(infoHash, piece, signal)
      return catalog.conditions.of(infoHash)
    },
    tokens: catalog.tokens,
    quotas: catalog.quotas,
    totals: () => ({ ...catalog.totals() }),
    quarantinedBytes: () => storage.quarantine.bytes,
    onCondition: (listener) => subscribe(conditionListeners, listener),
    onStorage: (listener) => subscribe(storageListeners, listener),
    storage: () => ({ folder, state: storage.state }),
    look: () => storage.look(),
    settle: () => small.settle(),
    alive: () => catalog.life.alive(now()),
    events: catalog.events,
    webhooks: catalog.webhooks,
    close: () => {
      small.close()
      void openBlobs.close()
      try {
        catalog.pieces.flush()
        catalog.jobs.flush()
        catalog.life.end(now())
      } finally {
        catalog.close()
        unlock()
      }
    },
  }
}

function* servable({ lists, conditions, controls }: Catalog): Generator<string> {
  for (const infoHash of lists.servable()) if (!controls.isPaused(infoHash)) yield infoHash
  for (const infoHash of conditions.patchy()) if (!controls.isPaused(infoHash)) yield infoHash
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
