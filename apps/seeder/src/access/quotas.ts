import type { QuotaRecord, QuotaStore, Usage } from '../library/index.ts'
import { DailyQuotaExceededError, ItemQuotaExceededError, StorageQuotaExceededError } from './errors.ts'

const dayMs = 86_400_000
/** An upload that did not say how long it is sets aside so much at a time. */
const stepBytes = 16 * 2 ** 20

/** The most an owner may have; 0 is no limit. */
export type Quota = Required<QuotaRecord>

/** What one upload may still take. */
export interface Allowance {
  /** To be called with each piece of it that arrives. @throws as `admit` */
  take(bytes: number): void
  /** Gives back what was set aside: the item is in the catalog, or never will be. Safe to call twice. */
  end(): void
}

export interface QuotasOptions {
  store: QuotaStore
  /** Bytes that the owner's uploads under way have or will have, and how many they are. */
  waiting(owner: string): Usage
  /** What holds for owners who have none of their own; read at each upload. */
  standard: () => Quota
  /** Room for one upload, whoever's it is. */
  room(): Allowance
  /** Whether bytes with that SHA-256, which the owner may know of, are stored already, and so need no room. */
  holds(sha256: string, owner: string): boolean
  now: () => number
}

/** What was set aside for uploads under way: without it many at once would each find the same room. */
interface Reserved {
  bytes: number
  items: number
}

/** What is known of an upload besides its owner and size. */
export interface Admission {
  /** How many of its bytes count among those waiting, when it is one of these. */
  counted?: number
  /** Of the bytes that it will have, if that is known. */
  sha256?: string
}

const unlimited: Allowance = { take: () => undefined, end: () => undefined }

/** How much of this node each owner may use. The operator, whose name is empty, may use all of its room. */
export class Quotas {
  readonly #options: QuotasOptions
  readonly #reserved = new Map<string, Reserved>()

  constructor(options: QuotasOptions) {
    this.#options = options
  }

  /**
   * Lets an upload of a new item begin. Its bytes count as they are sent; what is stored of them is counted once the item
   * is in the catalog.
   * @param size bytes that it will have, if that is known
   * @throws StorageQuotaExceededError, ItemQuotaExceededError, DailyQuotaExceededError; StorageFullError
   */
  admit(owner: string, size = 0, { counted, sha256 }: Admission = {}): Allowance {
    const share = owner === '' ? unlimited : this.#share(owner, size, counted)
    try {
      const isHeld = sha256 !== undefined && this.#options.holds(sha256, owner)
      const room = isHeld ? unlimited : this.#room(size, counted)
      return {
        take: (bytes) => {
          share.take(bytes)
          room.take(bytes)
        },
        end: () => {
          share.end()
          room.end()
        },
      }
    } catch (error) {
      share.end()
      throw error
    }
  }

  #room(size: number, counted = 0): Allowance {
    const room = this.#options.room()
    room.take(Math.max(0, size - counted))
    let left = Math.max(size, counted)
    return {
      take: (bytes) => {
        left -= bytes
        if (left >= 0) return
        room.take(-left)
        left = 0
      },
      end: () => room.end(),
    }
  }

  #share(owner: string, size: number, counted: number | undefined): Allowance {
    const quota = this.of(owner)
    const { store, waiting } = this.#options
    const others = waiting(owner).items - (counted === undefined ? 0 : 1)
    const items = store.usage(owner).items + others + (this.#reserved.get(owner)?.items ?? 0)
    if (quota.items > 0 && items >= quota.items) throw new ItemQuotaExceededError(owner, quota.items)
    const missing = Math.max(0, size - (counted ?? 0))
    this.#assertRoom(owner, counted === undefined ? Math.max(missing, 1) : missing)
    const all = this.#reserved.get(owner) ?? { bytes: 0, items: 0 }
    this.#reserved.set(owner, all)
    all.items++
    let reserved = 0
    const reserve = (bytes: number) => {
      all.bytes += bytes
      reserved += bytes
    }
    reserve(missing)
    let taken = -(counted ?? 0)
    let ended = false
    return {
      take: (bytes) => {
        taken += bytes
        if (ended || taken <= reserved) return
        const over = taken - reserved
        const room = this.#assertRoom(owner, over)
        reserve(Math.min(room, over + stepBytes))
      },
      end: () => {
        if (ended) return
        ended = true
        all.bytes -= reserved
        if (--all.items === 0) this.#reserved.delete(owner)
      },
    }
  }

  /** What holds for an owner. */
  of(owner: string): Quota {
    return { ...this.#options.standard(), ...this.#options.store.get(owner) }
  }

  usage(owner: string): Usage & { bytesToday: number } {
    const { store } = this.#options
    return { ...store.usage(owner), bytesToday: store.bytesOn(owner, this.#today()) }
  }

  /** @returns the room that is left. @throws StorageQuotaExceededError, DailyQuotaExceededError */
  #assertRoom(owner: string, bytes: number): number {
    const quota = this.of(owner)
    const used = this.usage(owner)
    const reserved = (this.#reserved.get(owner)?.bytes ?? 0) + this.#options.waiting(owner).bytes
    const room = quota.bytes > 0 ? quota.bytes - used.bytes - reserved : Infinity
    if (bytes > room) throw new StorageQuotaExceededError(owner, quota.bytes)
    const today = quota.bytesPerDay > 0 ? quota.bytesPerDay - used.bytesToday - reserved : Infinity
    if (bytes > today)
      throw new DailyQuotaExceededError(owner, quota.bytesPerDay, (this.#today() + 1) * dayMs - this.#options.now())
    return Math.min(room, today)
  }

  #today(): number {
    return Math.floor(this.#options.now() / dayMs)
  }
}
