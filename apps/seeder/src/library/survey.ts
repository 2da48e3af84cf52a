import { setImmediate } from 'node:timers/promises'
import { sha256Schema } from '@eldernode/core'
import { prefixes } from './blobs.ts'
import type { Blobs } from './blobs.ts'
import type { Catalog } from './catalog.ts'
import type { Soundness } from './soundness.ts'
import type { Storage } from './storage.ts'

export interface SurveyParts {
  catalog: Catalog
  blobs: Blobs
  soundness: Soundness
  storage: Storage
  /** Removes those of the blobs that neither the catalog nor a commit under way needs. */
  dropUnneeded(hashes: readonly string[]): Promise<void>
  now: () => number
}

/** Names asked for in the catalog before others have their turn. */
const namesAtOnce = 200
/** Long enough for what is fetched anew to be made of it, however often that is tried. */
const quarantineMs = 30 * 86_400_000

/**
 * Compares all blobs with the catalog, a few at a time, and sweeps what nothing knows. The 256 folders come one after
 * the other: a folder's name as position says that it is yet to be swept, a blob's that the folder was compared so far.
 */
export class Survey {
  readonly #parts: SurveyParts

  constructor(parts: SurveyParts) {
    this.#parts = parts
  }

  /** Goes past what cannot be read, telling of it. @returns the position of the next step, `undefined` after the last; unmoved while the storage is away */
  async step(
    position: string,
    most: number,
    unreadable: (error: unknown) => void = () => undefined,
  ): Promise<string | undefined> {
    const { catalog, soundness, storage, now } = this.#parts
    if (storage.state !== 'here') return position
    const prefix = position.slice(0, 2) || '00'
    if (position === '') await storage.quarantine.sweep(now() - quarantineMs).catch(unreadable)
    if (position.length <= 2) await this.#sweep(prefix).catch(unreadable)
    const records = catalog.blobs.between(position || prefix, `${prefix}g`, most)
    await soundness.compare(records, unreadable)
    const last = records.at(-1)
    if (last !== undefined && records.length === most) return last.sha256
    return prefixes[prefixes.indexOf(prefix) + 1]
  }

  async #sweep(prefix: string): Promise<void> {
    const { blobs, storage, dropUnneeded } = this.#parts
    const names = await blobs.names(prefix)
    for (let from = 0; from < names.length; from += namesAtOnce) {
      const unknown: string[] = []
      for (const name of names.slice(from, from + namesAtOnce)) {
        if (!sha256Schema.safeParse(name).success || !name.startsWith(prefix)) await blobs.sweep(prefix, name)
        else if (!this.#parts.catalog.blobs.has(name)) unknown.push(name)
      }
      if (storage.state === 'here') await dropUnneeded(unknown)
      await setImmediate()
    }
  }
}
