import type { Entry, GraphStore } from './port.ts'
import { supersedes } from './supersedes.ts'

/** A graph store in memory, for browsers and tests. `durable` means nothing here. */
export class MemoryGraphStore implements GraphStore {
  readonly #souls = new Map<string, Map<string, Entry>>()

  upsert(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const node = this.#souls.get(entry.soul) ?? new Map<string, Entry>()
      this.#souls.set(entry.soul, node)
      if (supersedes(entry, node.get(entry.key))) node.set(entry.key, { ...entry })
    }
  }

  get(soul: string, key: string): Entry | undefined {
    return this.#souls.get(soul)?.get(key)
  }

  page(soul: string, afterKey: string, limit: number): Entry[] {
    const node = this.#souls.get(soul) ?? new Map<string, Entry>()
    const keys = [...node.keys()].filter((key) => key > afterKey).toSorted(byText)
    return keys.slice(0, limit).flatMap((key) => node.get(key) ?? [])
  }

  keys(soul: string, afterKey: string, limit: number, text = ''): string[] {
    const entries = this.page(soul, afterKey, Infinity).filter(({ value }) => value.includes(text))
    return entries.slice(0, limit).map(({ key }) => key)
  }

  newest(soul: string): number {
    return Math.max(0, ...this.page(soul, '', Infinity).map(({ ts }) => ts))
  }

  souls(prefix: string, afterSoul: string, limit: number): string[] {
    const found = [...this.#souls.keys()].filter((soul) => soul.startsWith(prefix) && soul > afterSoul)
    return found.toSorted(byText).slice(0, limit)
  }
}

// Souls and keys are ASCII: UTF-16 order is byte order.
function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
