import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Heartbeat } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import { NoRoomError } from '../errors.ts'

export interface RoomOptions {
  /** A folder on the disk that stores the items. */
  folder: string
  /** Most bytes of items to store; 0 is nine tenths of the disk. */
  capacityBytes: number
  /** Whether that disk is there; while it is not, the folder lies on another one. */
  isHere?(): boolean
  /** Bytes of items stored now. */
  used(): number
}

/** Databases, logs and uploads in progress need room as well: a disk is never filled by copies. */
const largestReserve = 256 * 2 ** 20

/** The room beside what a library holds, and what it set aside. */
export function roomIn(
  library: Pick<Library, 'quarantinedBytes' | 'storage' | 'totals'>,
  storage: Pick<RoomOptions, 'folder' | 'capacityBytes'>,
): Room {
  return new Room({
    ...storage,
    isHere: () => library.storage().state === 'here',
    used: () => library.totals().bytes + library.quarantinedBytes(),
  })
}

/** How much this node can store, how much of it is taken, and what running transfers will take. */
export class Room {
  readonly #options: RoomOptions
  #promised = 0
  /** The disk's size when it was last there. Placement weighs by it, so it must not change with each absence. */
  #total = 0

  constructor(options: RoomOptions) {
    this.#options = options
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
    return { bytes, used, free: isHere ? Math.max(free, Math.min(bytes - used, free + this.#promised)) : 0 }
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

  /** @returns `undefined` while it is away */
  async #disk(): Promise<StatsFs | undefined> {
    if (this.#options.isHere?.() === false) return undefined
    return await statfs(this.#options.folder)
  }

  #weigh(disk: StatsFs | undefined): Heartbeat['capacity'] {
    const used = this.#options.used()
    if (disk !== undefined) this.#total = disk.blocks * disk.bsize
    const total = this.#total
    const bytes = this.#options.capacityBytes || Math.floor(total * 0.9) || used
    if (disk === undefined) return { bytes, used, free: 0 }
    const onDisk = disk.bavail * disk.bsize - Math.min(largestReserve, Math.floor(total / 20))
    const free = Math.max(0, Math.min(bytes - used, onDisk) - this.#promised)
    return { bytes, used, free }
  }
}
