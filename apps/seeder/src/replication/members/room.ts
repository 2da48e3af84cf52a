import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Heartbeat } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import { NoRoomError, StorageFullError } from '../errors.ts'

export interface RoomOptions {
  /** A folder on the disk that stores the items. */
  folder: string
  /** Most bytes of items to store; 0 is nine tenths of the disk. */
  capacityBytes: number
  /** Whether that disk is there; while it is not, the folder lies on another one. */
  isHere?(): boolean
  /** Bytes of items stored now. */
  used(): number
  /** Bytes that resumable uploads under way have or said they will. */
  coming?(): number
}

/** Room for one upload. */
export interface UploadRoom {
  /** Sets so many bytes more aside. @throws StorageFullError */
  take(bytes: number): void
  /** Gives back what was set aside: the item is in the catalog, or never will be. Safe to call twice. */
  end(): void
}

/** Databases, logs and uploads in progress need room as well: a disk is never filled by copies. */
const largestReserve = 256 * 2 ** 20

/** The room beside what a library holds, and what it set aside. */
export function roomIn(
  library: Pick<Library, 'quarantinedBytes' | 'storage' | 'totals'>,
  storage: Pick<RoomOptions, 'folder' | 'capacityBytes' | 'coming'>,
): Room {
  return new Room({
    ...storage,
    isHere: () => library.storage().state === 'here',
    used: () => library.totals().bytes + library.quarantinedBytes(),
  })
}

/** How much this node can store, how much of it is taken, and what running transfers and uploads will take. */
export class Room {
  readonly #options: RoomOptions
  #promised = 0
  #uploads = 0
  /** The disk's size when it was last there. Placement weighs by it, so it must not change with each absence. */
  #total = 0

  constructor(options: RoomOptions) {
    this.#options = options
  }

  get folder(): string {
    return this.#options.folder
  }

  /** In bytes. `free` is what one more copy may take. */
  async measure(): Promise<Heartbeat['capacity']> {
    return this.#weigh(await this.#disk())
  }

  /**
   * The same with the room of running copies as if they had not begun. Others must not take a node that fetches an item
   * for one without room for it, nor the node itself: it would give the copy up, have room again, and begin anew.
   */
  async offer(): Promise<Heartbeat['capacity']> {
    const { bytes, used, free } = await this.measure()
    const isHere = this.#options.isHere?.() !== false
    const most = bytes - used - this.#coming()
    return { bytes, used, free: isHere ? Math.max(free, Math.min(most, free + this.#promised)) : 0 }
  }

  /** Sets room for one copy aside. @returns a function that gives it back. @throws NoRoomError */
  async reserve(infoHash: string, size: number): Promise<() => void> {
    const disk = await this.#disk()
    // No await from here on: two copies must not be promised the same room.
    const { free } = this.#weigh(disk)
    if (size > free) throw new NoRoomError(infoHash, size, free)
    this.#promised += size
    let held = true
    return () => {
      if (held) this.#promised -= size
      held = false
    }
  }

  /** Bytes on the disk are counted again once they are in the catalog, so that it is to be ended right then. */
  upload(): UploadRoom {
    let taken = 0
    return {
      take: (bytes) => {
        const capacity = this.#capacity()
        const free = Math.max(0, capacity - this.#options.used() - this.#coming() - this.#promised)
        // Before the disk was measured, and while it is away, nothing is known of its size.
        if (capacity > 0 && bytes > free) throw new StorageFullError(capacity, bytes, free)
        this.#uploads += bytes
        taken += bytes
      },
      end: () => {
        this.#uploads -= taken
        taken = 0
      },
    }
  }

  #coming(): number {
    return this.#uploads + (this.#options.coming?.() ?? 0)
  }

  #capacity(): number {
    return this.#options.capacityBytes || Math.floor(this.#total * 0.9)
  }

  /** @returns `undefined` while it is away */
  async #disk(): Promise<StatsFs | undefined> {
    if (this.#options.isHere?.() === false) return undefined
    return await statfs(this.#options.folder)
  }

  #weigh(disk: StatsFs | undefined): Heartbeat['capacity'] {
    const used = this.#options.used()
    if (disk !== undefined) this.#total = disk.blocks * disk.bsize
    const bytes = this.#capacity() || used
    if (disk === undefined) return { bytes, used, free: 0 }
    const onDisk = disk.bavail * disk.bsize - Math.min(largestReserve, Math.floor(this.#total / 20))
    const free = Math.max(0, Math.min(bytes - used - this.#coming(), onDisk) - this.#promised)
    return { bytes, used, free }
  }
}
