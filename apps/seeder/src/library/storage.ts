import { mkdirSync } from 'node:fs'
import { access, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { prefixes } from './blobs.ts'
import type { Blobs } from './blobs.ts'
import type { Catalog } from './catalog.ts'
import { CatalogMissingError, StorageSuspendedError } from './errors.ts'
import { Marker } from './marker.ts'
import type { Mark } from './marker.ts'
import type { StorageState } from './storage-port.ts'
import { Quarantine } from './quarantine.ts'

export interface StorageParts {
  /** Holds blobs, incoming and quarantine, which must lie on one file system. */
  folder: string
  blobs: Blobs
  catalog: Catalog
  /** Told of each change. */
  changed(state: StorageState): void
}

const sampled = 64

/** To be asked before a catalog is made. @throws CatalogMissingError when the folder belongs to one already */
export async function assertUnused(folder: string): Promise<void> {
  const blobs = join(folder, 'blobs')
  const names = await readdir(blobs).catch(() => [])
  for (const name of names) {
    const isTaken = !prefixes.includes(name) || (await readdir(join(blobs, name)).catch(() => [name])).length > 0
    if (isTaken) throw new CatalogMissingError(folder)
  }
}

/** Whether the storage folder is there. While it is not, nothing is concluded from what is missing in it. */
export class Storage {
  readonly folder: string
  readonly incoming: string
  readonly quarantine: Quarantine
  readonly #parts: StorageParts
  readonly #blobsFolder: string
  readonly #marker: Marker
  #state: StorageState = 'missing'
  #swept = false
  #looking: Promise<void> | undefined

  constructor(parts: StorageParts) {
    this.#parts = parts
    this.folder = parts.folder
    this.incoming = join(parts.folder, 'incoming')
    this.quarantine = new Quarantine(join(parts.folder, 'quarantine'))
    this.#blobsFolder = join(parts.folder, 'blobs')
    this.#marker = new Marker(this.#blobsFolder, parts.catalog.life.id)
  }

  get state(): StorageState {
    return this.#state
  }

  /** Finds out whether the folder came or went. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  /** The same at once, for a moment when something was missing; it finds only that the folder went. */
  isHere(): boolean {
    if (this.#state !== 'here') return false
    const mark = this.#marker.read()
    if (mark !== 'own') this.#set(mark)
    return mark === 'own'
  }

  /** What was found when somebody last looked, which is done every few seconds. @throws StorageSuspendedError */
  assertSeen(): void {
    if (this.#state !== 'here') throw this.#suspended()
  }

  /** Looks. @throws StorageSuspendedError */
  assertHere(): void {
    if (!this.isHere()) throw this.#suspended()
  }

  #suspended(): StorageSuspendedError {
    return new StorageSuspendedError(this.folder, this.#state === 'foreign' ? 'foreign' : 'missing')
  }

  async #look(): Promise<void> {
    let mark = await this.#marker.look()
    if (mark === 'missing' && !this.#parts.catalog.life.marked && this.#looksOurs()) {
      mkdirSync(this.#blobsFolder, { recursive: true, mode: 0o750 })
      await this.#marker.write()
      mark = 'own'
    }
    if (mark !== 'own') return this.#set(mark)
    if (!this.#parts.catalog.life.marked) this.#parts.catalog.life.mark()
    if (this.#state !== 'here' || !(await this.#isPrepared())) await this.#prepare()
    this.#set('here')
  }

  async #isPrepared(): Promise<boolean> {
    const looks = [this.incoming, this.quarantine.folder].map((path) => access(path))
    return (await Promise.allSettled(looks)).every(({ status }) => status === 'fulfilled')
  }

  /**
   * A folder that comes back may be a backup, which has the blobs only. Leftovers of an earlier run are swept once: later
   * on there may be uploads under way.
   */
  async #prepare(): Promise<void> {
    for (const path of [this.incoming, this.quarantine.folder]) mkdirSync(path, { recursive: true, mode: 0o750 })
    await this.#parts.blobs.prepare()
    if (this.#swept) return
    for (const name of await readdir(this.incoming))
      await rm(join(this.incoming, name), { recursive: true, force: true })
    this.#swept = true
  }

  /** Of a folder without a marker, as former versions left it: one of its blobs is there, or it never had any. */
  #looksOurs(): boolean {
    const some = this.#parts.catalog.blobs.between('', 'g', sampled)
    return some.length === 0 || some.some(({ sha256, size }) => this.#parts.blobs.print(sha256)?.size === size)
  }

  #set(mark: Mark | 'here'): void {
    const state = mark === 'own' ? 'here' : mark
    if (state === this.#state) return
    this.#state = state
    this.#parts.changed(state)
  }
}
