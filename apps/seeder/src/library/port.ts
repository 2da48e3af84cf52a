import type { NodeId } from '@eldernode/core'
import type { AboutStore, DescriptionStore } from './about-port.ts'
import type { QuotaStore, TokenStore } from './access-port.ts'
import type { AnswerStore } from './answer-port.ts'
import type { EventStore, WebhookStore } from './event-port.ts'
import type { ImportStore } from './import-port.ts'
import type { Condition, Controls, HeldFile, Item, ItemHead, OpenItem, Pieces, Rights } from './item-port.ts'
import type { JobStore } from './job-port.ts'
import type { KeyStore } from './key-port.ts'
import type { ListQuery, Page } from './listing-port.ts'
import type { CommitOptions, OpenBlob, Staging, StorageState } from './storage-port.ts'
import type { UploadStore } from './upload-port.ts'

/**
 * What this node holds. Bytes lie in content-addressed blobs, so no foreign name ever becomes a path on disk.
 *
 * Opening it looks at no blob. They are compared when an item is opened or a file is asked for, and by `survey`. One
 * whose print (size, times, inode) is not what the catalog remembers makes every item with it _suspect_: none of the
 * methods below shows such an item until `verify` has hashed the blob again. So does a stop without `close` to what was
 * written in the ten minutes before it. A missing or wrong blob makes its items _damaged_: they are not held, their sound
 * blobs are kept, and a commit of the same infohash makes them whole again.
 *
 * While the storage folder is away (see StorageState) the catalog answers as before, but no bytes are served, stored,
 * removed or judged.
 */
export interface Library {
  readonly tokens: TokenStore
  readonly quotas: QuotaStore
  readonly imports: ImportStore
  readonly uploads: UploadStore
  readonly answers: AnswerStore
  readonly jobs: JobStore
  readonly about: AboutStore
  readonly descriptions: DescriptionStore
  readonly keys: KeyStore
  /**
   * A fresh folder on the blobs' file system. Leftovers of a crash are swept when the library opens.
   * @throws StorageSuspendedError, DiskFullError, DiskUnwritableError
   */
  stage(): Promise<Staging>
  /**
   * Keeps the files of a small item in memory until they are committed.
   * @throws StorageSuspendedError
   */
  hold(bytes: readonly Uint8Array[]): Staging
  /**
   * Copies what is left here of an item that is not held into staging, so that its right pieces need not be fetched again.
   * @returns the number of files found; their bytes may be wrong, and their sizes are right
   */
  salvage(infoHash: string, staging: Staging): Promise<number>
  /**
   * Makes staged bytes an item: fsync, rename each file into the blobs, fsync the folders, then one transaction. Small
   * ones become durable in the transaction itself.
   * When it resolves the item survives a crash, and the staging folder is gone; it is gone on failure too.
   * An infohash already held, live or retracted, is returned as it is, and nothing is stored.
   * The caller has verified the bytes: sizes are compared, nothing is hashed.
   * @throws StagingMismatchError when a staged file is missing or of another size; DiskFullError; DiskUnwritableError;
   * StorageSuspendedError
   */
  commit(
    staging: Staging,
    item: Item,
    metainfo: Uint8Array,
    options?: CommitOptions,
  ): Promise<{ item: Item; created: boolean }>
  get(infoHash: string): Item | undefined
  /** The oldest live item with that content, a private one only when there is no other. */
  bySha256(sha256: string): Item | undefined
  /** The oldest live item with that content that is public, or that owner's. */
  ownOrPublic(sha256: string, owner: string): ItemHead | undefined
  /**
   * The file at `path` of the item with that infohash or SHA-256, or its first file without `path`. Its blob is checked
   * as by `check`, it alone, so that the cost does not grow with the number of files.
   * @returns `undefined` when the item is not held
   * @throws StorageSuspendedError
   */
  file(id: string, path?: string): Promise<HeldFile | undefined>
  /**
   * Live items that are held, without previews of others, newest first by `createdAt`; those of the same millisecond in
   * the order they came here. A cursor stays good whatever comes and goes meanwhile.
   * @throws InvalidInputError for a cursor it did not make
   */
  list(query: ListQuery): Page
  /** Every item held with all its files, retracted ones included, in infohash order, read in pages. */
  all(): Iterable<Item>
  /** The same without the files: a small part of the cost. */
  heads(): Iterable<ItemHead>
  /**
   * What `open` would find, as far as the catalog knows, without what is paused; none while the storage folder is away.
   * 100,000 take 20 ms.
   */
  servable(): Iterable<string>
  /** The .torrent file's bytes. */
  metainfo(infoHash: string): Uint8Array | undefined
  /** The absolute path of a blob. @throws InvalidInputError for anything but 64 lower-case hex digits */
  blobPath(sha256: string): string
  /** @throws InvalidInputError for anything but 64 lower-case hex digits; the file system's error when it is not there */
  openBlob(sha256: string): Promise<OpenBlob>
  /** @throws UnknownItemError */
  retract(infoHash: string, purgeAfter: number): void
  /** @throws UnknownItemError */
  restore(infoHash: string): void
  /** Another speaks for the item's manifest now: its publisher's successor. Unknown infohashes are left alone. */
  inherit(infoHash: string, publisher: NodeId): void
  /** Forgets an item and removes the blobs no other item needs, those in quarantine as well. An unknown infohash is no error. */
  remove(infoHash: string): Promise<void>
  /** Retracted items whose `purgeAfter` is not later than `now`. */
  purgeable(now: number): Item[]
  /** Removes an item, held or not, if it is retracted and its `purgeAfter` is not later than `now`. @returns whether it was */
  purge(infoHash: string, now: number): Promise<boolean>
  /** The earliest `purgeAfter` of a retracted item. */
  nextPurge(): number | undefined
  /** What the operator set for the traffic of an item, which need not be held. Gone when the item is purged. */
  controls(infoHash: string): Controls
  control(infoHash: string, controls: Controls): void
  isPaused(infoHash: string): boolean
  pausedCount(): number
  /** Remembers that no copy of an item is wanted here before `until`, and forgets what was refused until `now`. */
  refuse(infoHash: string, until: number, now: number): void
  forgive(infoHash: string): void
  /** What is refused beyond `now`. */
  refused(now: number): { infoHash: string; until: number }[]
  /**
   * Compares the item's files with what was noted of them, reading none. An item with a changed file is suspect from here
   * on, one with a missing file damaged; unless the storage folder is away.
   * @returns whether it is held or patchy, and its bytes are here
   */
  check(infoHash: string): Promise<boolean>
  /**
   * One step of a round through all blobs: `check` of at most `most` of them, and now and then the removal of files in the
   * blob folders that the catalog does not know. Files in quarantine are removed 30 days after they came there.
   * @param position '' begins a round; @param unreadable told of folders and blobs that were passed over
   * @returns the position for the next step, `undefined` at the end of the round
   */
  survey(position: string, most: number, unreadable?: (error: unknown) => void): Promise<string | undefined>
  /** Infohashes that wait for `verify`: written shortly before an unclean stop, or found changed by a comparison. */
  suspects(): string[]
  /** Infohashes of items with pieces that are known to be wrong and are to be mended in place. */
  patchy(): string[]
  /** Infohashes whose bytes are lost here, wholly or in part: to be fetched again or removed. */
  damaged(): string[]
  /**
   * Hashes blobs of one item again: the changed ones, or `all`. A wrong one is moved to `<storage>/quarantine`.
   * @returns whether the item is held now
   * @throws StorageSuspendedError
   */
  verify(infoHash: string, options?: { all?: boolean; signal?: AbortSignal }): Promise<boolean>
  /**
   * The row of the item with that infohash, held or not; or of the oldest live one with that SHA-256, of those held if one
   * is, a private one only when there is no other. @returns `undefined` when there is no such item
   */
  head(id: string): (ItemHead & Rights) | undefined
  /** An item whose bytes may be suspect, damaged or patchy. */
  record(infoHash: string): Item | undefined
  /** @returns `undefined` when there is no such item */
  condition(infoHash: string): Condition | undefined
  /**
   * A live item that is held or patchy, after comparing its files without blocking the loop.
   * @returns `undefined` when it may not be served now; if it is suspect, it is hashed again ahead of others
   */
  open(infoHash: string): Promise<OpenItem | undefined>
  /** @returns `undefined` when there is no such item */
  pieces(infoHash: string): Pieces | undefined
  /**
   * Remembers when pieces were verified (seconds since 1970, by piece number; 0 leaves what is known). Written with the
   * next batch, at the latest on close: what a crash takes costs nothing but reading a piece again. For an item that goes
   * to sleep, not for each read. An unknown item is no error.
   */
  recordPieces(infoHash: string, verifiedAt: Uint32Array): void
  /**
   * Remembers, durably, that a piece was read and its hash is wrong. From here on the item is patchy, and with it every
   * item that shares a file under the piece: not held, and such files are given to nobody as files. While the storage is away nothing is concluded, nor remembered.
   * @throws UnknownItemError; InvalidInputError when the item has no such piece
   */
  quarantinePiece(infoHash: string, piece: number): void
  /**
   * To be called when the right bytes of a quarantined piece were written in place and synced. Once the item has no other
   * bad piece in a file, that file is hashed; wrong ones are damaged then, so that the item is fetched anew: check the
   * other pieces of a file before the last one is mended.
   * @returns what the item is now
   */
  mendedPiece(infoHash: string, piece: number, signal?: AbortSignal): Promise<Condition | undefined>
  /** Kept up to date by each change, never counted. `items`: live ones; `bytes`: of all blobs, each counted once. */
  totals(): { items: number; bytes: number }
  /** Of blobs that were found wrong and set aside, counted at each round of `survey`. */
  quarantinedBytes(): number
  /**
   * Has `listener` told, after the change, of each item whose condition changed by itself: a blob was found changed, lost,
   * right or wrong, or a piece bad or mended. Also of a suspect item that `open` was asked for. @returns ends it
   */
  onCondition(listener: (infoHash: string) => void): () => void
  /** Has `listener` told when the storage folder went away or came back. @returns ends it */
  onStorage(listener: (state: StorageState) => void): () => void
  storage(): { folder: string; state: StorageState }
  /** Looks whether the storage folder went away or came back: one small read. */
  look(): Promise<void>
  /** Syncs files of small items that were written a while ago; until then the catalog keeps their bytes. */
  settle(): Promise<void>
  /** A sign of life, about once a minute: what was written long before it needs no verifying after an unclean stop. */
  alive(): void
  readonly events: EventStore
  readonly webhooks: WebhookStore
  /** Gives the data folder free. Nothing else may be called afterwards. */
  close(): void
}
