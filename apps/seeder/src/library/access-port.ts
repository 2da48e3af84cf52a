/** A token as it is kept: what is given out cannot be made from it. */
export interface TokenRecord {
  id: string
  /** SHA-256 of the whole token. */
  hash: Uint8Array
  owner: string
  label: string
  scopes: string[]
  /** The age recipient whose grants let its bearer read private items of others. */
  reader?: string
  /** Milliseconds since 1970. */
  createdAt: number
  expiresAt?: number
}

export interface TokenStore {
  /** Durable when it returns. */
  add(token: TokenRecord): void
  get(id: string): TokenRecord | undefined
  /** The newest first. */
  list(): TokenRecord[]
  /** Those of one owner, expired ones too. */
  of(owner: string): TokenRecord[]
  count(): number
  /** @returns whether there was one. Durable when it returns */
  remove(id: string): boolean
  /** When the next one after that time expires, in milliseconds since 1970. */
  nextExpiry(after: number): number | undefined
  /** Ids of those that expire after the one time, and at the other at the latest. */
  expired(after: number, until: number): string[]
  /** Forgets those that expired before that time. */
  removeExpired(before: number): void
}

/** The most an owner may have; what is absent is as for all owners. */
export interface QuotaRecord {
  bytes?: number
  items?: number
  bytesPerDay?: number
}

/** What an owner has here, items waiting to be purged included. */
export interface Usage {
  bytes: number
  items: number
}

export interface QuotaStore {
  /** What was set for that owner alone. */
  get(owner: string): QuotaRecord
  set(owner: string, quota: QuotaRecord): void
  usage(owner: string): Usage
  /** Owners who have items here, or a quota of their own, in order of their names, at most `limit` of them. */
  owners(after: string, limit: number): string[]
  /** Bytes of what the owner published on that day, removed or not; days are those of UTC since 1970. */
  bytesOn(owner: string, day: number): number
}
