import { EldernodeError } from '@eldernode/core'

/** Another process works on the same data folder. */
export class DataFolderLockedError extends EldernodeError {
  constructor(folder: string, options?: ErrorOptions) {
    super(
      'data_folder_locked',
      `The data folder ${folder} is in use by another eldernode process: stop that one, or give this one a folder of its own.`,
      options,
    )
  }
}

/** The catalog was written by a later version, whose layout this one does not know. */
export class CatalogTooNewError extends EldernodeError {
  constructor(path: string, found: number, known: number) {
    super(
      'catalog_too_new',
      `The catalog ${path} has layout ${found} and this version knows layouts up to ${known}: start a newer eldernode.`,
    )
  }
}

/** Staged bytes are not what the item says, so nothing was committed. */
export class StagingMismatchError extends EldernodeError {
  constructor(path: string, detail: string) {
    super('staging_mismatch', `The staged file of "${path}" ${detail}: receive or fetch the item again.`)
  }
}

/** No item of that infohash is in the catalog. */
export class UnknownItemError extends EldernodeError {
  constructor(infoHash: string) {
    super('unknown_item', `No item ${infoHash} is held here: check the infohash.`)
  }
}

/** An encrypted item has as many readers as it may have. */
export class TooManyReadersError extends EldernodeError {
  constructor(most: number) {
    super('too_many_readers', `An item has at most ${most} readers: remove some, or publish it for fewer.`)
  }
}

/** There are blobs, or the mark of a library, and no catalog that knows them. Sweeping them would destroy them. */
export class CatalogMissingError extends EldernodeError {
  constructor(folder: string) {
    super(
      'catalog_missing',
      `${folder} has the blobs of a library but there is no catalog: restore catalog.db from a backup, or move the blobs folder away to start empty.`,
    )
  }
}

/** The blobs are not where they belong: their disk is not mounted, or another one is. */
export class StorageSuspendedError extends EldernodeError {
  constructor(folder: string, state: 'missing' | 'foreign') {
    const found = state === 'missing' ? 'has no file library-id' : 'belongs to another library (its library-id differs)'
    super(
      'storage_suspended',
      `The storage folder ${folder} ${found}: mount the disk with the blobs, or set storage.folder; ` +
        'until then nothing is stored or served, and nothing is lost.',
    )
  }
}
