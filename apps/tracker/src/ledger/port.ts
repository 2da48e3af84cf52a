/** A passkey as its operator sees it. The passkey itself is told once, when it is made, and stored nowhere. */
export interface Key {
  /** 1 or more, below 2^31, and never of another key. Not secret: it names the key in the admin API, swarms and snapshots. */
  id: number
  label: string
  /** Milliseconds since 1970. */
  createdAt: number
  revokedAt?: number
  /** Bytes that its peers said to have given and taken, as far as that is plausible. */
  uploaded: number
  downloaded: number
}

export interface NewKey extends Key {
  /** 32 characters base64url. */
  passkey: string
}

export interface Page<T> {
  items: T[]
  /** Where the next page begins; absent on the last one. */
  next?: string
}

export interface PageRequest {
  /** What the page before gave as `next`. */
  after?: string | undefined
  limit: number
}

/** Infohashes that the admin API allows or denies, besides those of the files. */
export type ListName = 'allowed' | 'denied'

export interface Ban {
  /** An IPv4 address, or the first address of an IPv6 /64 with `/64`. */
  network: string
  /** Milliseconds since 1970; 0 lifts it, also where the ledger does not know of it. */
  until: number
}

/** The whole of what is true of one thing now, so that hearing it again does no harm. */
export type Change =
  | { kind: 'key'; id: number; /** SHA-256 of the passkey's text, base64url. */ hash: string; isRevoked: boolean }
  | { kind: ListName; /** 40 hex digits. */ infoHash: string; isListed: boolean }
  | ({ kind: 'ban' } & Ban)

/** How far somebody has heard a ledger. */
export interface Position {
  /** Of the ledger that it was; one that lost what it knew has another. */
  epoch: string
  sequence: number
}

export interface Changes {
  changes: Change[]
  position: Position
  /** Told from the very beginning: there was no position, or it is none of this ledger's. */
  isFresh: boolean
  /** Ask again at once. */
  hasMore: boolean
}

export interface KeyTotals {
  id: number
  /** Bytes to add, whole and not negative. */
  uploaded: number
  downloaded: number
}

/** Told twice under one number of one source, it counts once: an answer may get lost. */
export interface TotalsBatch {
  source: string
  /** Rising. */
  number: number
  totals: readonly KeyTotals[]
}

/** Most keys or infohashes of one batch, and most changes of one answer. */
export const perBatch = 1000

/**
 * What outlives the tracker's processes: keys and their totals, lists and bans. Never asked for an announce. What has
 * resolved is durable, as far as the server behind it keeps its word. Each call may reject with `LedgerAwayError`.
 */
export interface Ledger {
  /**
   * Resolves though a server be away: it is asked again with each call.
   *
   * @throws LedgerFileError, LedgerTooNewError, LedgerRefusedError
   */
  open(): Promise<void>
  /** @throws LedgerFullError */
  create(label: string): Promise<NewKey>
  /** Resolves to false when there is no such key. Again does nothing. */
  revoke(id: number): Promise<boolean>
  find(id: number): Promise<Key | undefined>
  /** Oldest first, revoked ones too. Those are forgotten 30 days after they were revoked. */
  keys(page: PageRequest): Promise<Page<Key>>
  /** At most 1,000 at once; all of them or none. @throws LedgerFullError */
  setListed(list: ListName, infoHashes: readonly string[], isListed: boolean): Promise<void>
  listed(list: ListName, page: PageRequest): Promise<Page<string>>
  /** Of two for one network the later counts. Beyond 10,000 at once further ones are not kept. */
  ban(bans: readonly Ban[]): Promise<void>
  bans(page: PageRequest): Promise<Page<Ban>>
  /** In the order of their last change, at most 1,000 at once. */
  changesSince(position: Position | undefined): Promise<Changes>
  /** Keys that are unknown are passed over. A total stays at 2^53 - 1 when it gets there. */
  addTotals(batch: TotalsBatch): Promise<void>
  close(): Promise<void>
}

/** Who keeps in memory what a ledger says. */
export interface LedgerSink {
  /** Everything is told anew from here; what is not told again until `complete` is gone. */
  begin(): void
  apply(changes: readonly Change[]): void
  /** All there is has been told. Later changes come without `begin` and `complete`. */
  complete(): void
}

/** Where totals gather until they are taken to the ledger. */
export interface TotalsSource {
  /** What came together since it was last taken, for so many keys at most. It is given away by that. */
  takeTotals(most: number): KeyTotals[]
}

/** Where bans are made. */
export interface BanSource {
  takeBans(most: number): Ban[]
}
