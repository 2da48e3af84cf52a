import type { Accepted, Bodies, Kind } from './port.ts'

/** Who is told of values of each kind. */
export class Watchers {
  readonly #listeners = new Map<Kind, Set<(value: Accepted) => void>>()
  readonly #onFault: (error: unknown) => void

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  /** @returns ends it */
  add<K extends Kind>(kind: K, listener: (value: Accepted<Bodies[K]>) => void): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set()
    this.#listeners.set(kind, listeners)
    const entry = (value: Accepted): void => listener(value as Accepted<Bodies[K]>)
    listeners.add(entry)
    return () => listeners.delete(entry)
  }

  /** One that fails keeps no other from it. */
  tell(value: Accepted): void {
    for (const listener of this.#listeners.get(value.kind) ?? []) {
      try {
        listener(value)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
