import type { CompatStore, CompatValue } from './port.ts'

/** A store of public maps in memory, for browsers and tests. */
export class MemoryCompatStore implements CompatStore {
  readonly #maps = new Map<string, { values: Map<string, CompatValue>; bytes: number }>()

  put(map: string, values: readonly CompatValue[]): void {
    const kept = this.#maps.get(map) ?? { values: new Map<string, CompatValue>(), bytes: 0 }
    this.#maps.set(map, kept)
    for (const value of values) {
      const name = `${value.soul} ${value.key}`
      kept.bytes += sizeOf(value) - sizeOf(kept.values.get(name))
      kept.values.delete(name)
      kept.values.set(name, { ...value })
    }
  }

  get(soul: string, key: string): CompatValue | undefined {
    for (const { values } of this.#maps.values()) {
      const found = values.get(`${soul} ${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }

  page(soul: string, afterKey: string, limit: number): CompatValue[] {
    const all = [...this.#maps.values()].flatMap(({ values }) => [...values.values()])
    const found = all.filter((value) => value.soul === soul && compare(value.key, afterKey) > 0)
    return found.toSorted((a, b) => compare(a.key, b.key)).slice(0, limit)
  }

  bytes(map: string): number {
    return this.#maps.get(map)?.bytes ?? 0
  }

  shrink(map: string, bytes: number): void {
    const kept = this.#maps.get(map)
    for (const [name, value] of kept?.values ?? []) {
      if (kept === undefined || kept.bytes <= bytes) return
      kept.values.delete(name)
      kept.bytes -= sizeOf(value)
    }
  }
}

const utf8 = new TextEncoder()

function sizeOf(value: CompatValue | undefined): number {
  if (value === undefined) return 0
  return utf8.encode(value.soul + value.key + value.value).length + 64
}

/** By UTF-8 bytes, as SQLite compares. */
function compare(a: string, b: string): number {
  const [left, right] = [utf8.encode(a), utf8.encode(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
