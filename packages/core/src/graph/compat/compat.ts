import { MAX_CLOCK_SKEW } from '../../envelope/index.ts'
import { InvalidInputError } from '../../errors.ts'
import { Rate } from '../rate.ts'
import { fitsMap, mapOf, maps } from './maps.ts'
import type { CompatData, CompatMaps, CompatStore, CompatValue } from './port.ts'
import { isData, replaces } from './value.ts'

/** What all links together may have written. */
const valuesPerSecond = 1000
const valueBurst = 20_000
const bytesPerSecond = 4 << 20
const byteBurst = 64 << 20
const pageSize = 200
/** Names of one node that `get` gives. */
const mostKeys = 1000

export interface CompatOptions {
  store: CompatStore
  /** A node that nobody else may write. */
  own: string
  now: () => number
  /** Says values of this node to every link. */
  broadcast(values: readonly CompatValue[]): void
  onFault(error: unknown): void
}

/** Who wrote, and how refusals are told. */
export interface CompatSource {
  mayWrite(): boolean
  refuse(reason: string): undefined
}

/**
 * The public maps of other families of clients, in a store of their own.
 *
 * Threat: anybody may write here. What each map holds is bounded, and full maps lose what was written longest ago, so
 * that a flood costs its writers' own values first and never what is signed.
 */
export class Compat implements CompatMaps {
  readonly #options: CompatOptions
  readonly #values: Rate
  readonly #bytes: Rate
  readonly #watchers = new Map<string, Set<(soul: string) => void>>()

  constructor(options: CompatOptions) {
    this.#options = options
    this.#values = new Rate(valuesPerSecond, valueBurst, options.now)
    this.#bytes = new Rate(bytesPerSecond, byteBurst, options.now)
  }

  /** @returns those of a link's values that are new here and were kept */
  take(candidates: readonly CompatValue[], source: CompatSource): CompatValue[] {
    const { store, own, now } = this.#options
    const taken = new Map<string, CompatValue>()
    for (const value of candidates) {
      const name = `${value.soul} ${value.key}`
      const map = mapOf(value.soul)
      if (map === undefined) source.refuse('compat_soul')
      else if (value.soul === own || `${value.soul}/${value.key}` === own) source.refuse('compat_own')
      else if (!fitsMap(map, value.key, value.value)) source.refuse('compat_size')
      else if (value.state - now() > MAX_CLOCK_SKEW) source.refuse('future')
      else if (!replaces(value, taken.get(name) ?? store.get(value.soul, value.key))) continue
      else if (!source.mayWrite() || !this.#values.take() || !this.#bytes.take(value.value.length)) {
        source.refuse('compat_rate')
      } else taken.set(name, value)
    }
    const kept = [...taken.values()]
    this.#keep(kept)
    this.#tell(kept)
    return kept
  }

  put(soul: string, data: Readonly<Record<string, CompatData>>): void {
    const map = mapOf(soul)
    if (map === undefined) throw new InvalidInputError(`${soul} is no node of a public map`)
    const entries = Object.entries(data)
    for (const [key, value] of entries) {
      const fits = key.length > 0 && key.length <= 200 && key !== '_' && !(key in Object.prototype)
      if (!fits || !isData(value) || !fitsMap(map, key, JSON.stringify(value))) {
        throw new InvalidInputError(`the value of ${key.slice(0, 50)} is past the limits of ${map}`)
      }
    }
    const values = entries.map(([key, value]) => this.#own(soul, key, value))
    const [root, id, ...deeper] = soul.split('/')
    if (root === map && id !== undefined && deeper.length === 0 && this.#options.store.get(map, id) === undefined) {
      values.push(this.#own(map, id, { '#': soul }))
    }
    this.#keep(values)
    this.#options.broadcast(values)
  }

  get(soul: string): Record<string, CompatData> | undefined {
    if (mapOf(soul) === undefined) return undefined
    const data = Object.create(null) as Record<string, CompatData>
    let count = 0
    for (const { key, value } of this.values(soul, undefined)) {
      data[key] = JSON.parse(value) as CompatData
      if (++count === mostKeys) break
    }
    return count === 0 ? undefined : { ...data }
  }

  watch(map: string, listener: (soul: string) => void): () => void {
    const watchers = this.#watchers.get(map) ?? new Set()
    this.#watchers.set(map, watchers)
    watchers.add(listener)
    return () => watchers.delete(listener)
  }

  /** What lies under a key of a soul, or under all of them, read in pages. */
  *values(soul: string, key: string | undefined): Iterable<CompatValue> {
    const { store } = this.#options
    if (key !== undefined) {
      const value = store.get(soul, key)
      if (value !== undefined) yield value
      return
    }
    let page = store.page(soul, '', pageSize)
    while (page.length > 0) {
      yield* page
      page = page.length < pageSize ? [] : store.page(soul, page.at(-1)?.key ?? '', pageSize)
    }
  }

  #own(soul: string, key: string, value: CompatData): CompatValue {
    const { store, now } = this.#options
    const before = store.get(soul, key)?.state ?? 0
    return { soul, key, state: Math.max(now(), before + 1), value: JSON.stringify(value) }
  }

  #keep(values: readonly CompatValue[]): void {
    const { store } = this.#options
    const byMap = Map.groupBy(values, ({ soul }) => mapOf(soul) ?? '')
    for (const [map, part] of byMap) {
      store.put(map, part)
      const most = maps[map]?.total ?? 0
      // A little more than needed, so that a full map is not shrunk at each value.
      if (store.bytes(map) > most) store.shrink(map, most - most / 32)
    }
  }

  #tell(values: readonly CompatValue[]): void {
    for (const soul of new Set(values.map((value) => value.soul))) {
      for (const watcher of this.#watchers.get(mapOf(soul) ?? '') ?? []) {
        try {
          watcher(soul)
        } catch (error) {
          this.#options.onFault(error)
        }
      }
    }
  }
}
