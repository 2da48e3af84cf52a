/** A connection that was accepted and has not said yet what it wants. */
export interface Stranger {
  destroy(): void
}

/**
 * Strangers, at most so many, the oldest turned away for a new one: of his own origin when that has many, so that who
 * opens thousands of connections and says nothing pushes himself out, and shuts nobody else out.
 */
export class HalfOpen<T extends Stranger> {
  readonly #most: number
  readonly #mostOfOrigin: number
  readonly #strangers = new Map<T, string>()
  readonly #byOrigin = new Map<string, Set<T>>()
  #dropped = 0

  constructor(most = 256, mostOfOrigin = 128) {
    this.#most = most
    this.#mostOfOrigin = mostOfOrigin
  }

  get size(): number {
    return this.#strangers.size
  }

  /** Strangers turned away for others since start. */
  get dropped(): number {
    return this.#dropped
  }

  add(stranger: T, origin: string): void {
    const others = this.#byOrigin.get(origin) ?? new Set()
    if (others.size >= this.#mostOfOrigin) this.#drop(others)
    else if (this.#strangers.size >= this.#most) this.#drop(this.#strangers.keys())
    others.add(stranger)
    this.#byOrigin.set(origin, others)
    this.#strangers.set(stranger, origin)
  }

  /** He said what he wants, or went. */
  delete(stranger: T): void {
    const origin = this.#strangers.get(stranger)
    if (origin === undefined) return
    this.#strangers.delete(stranger)
    const others = this.#byOrigin.get(origin)
    others?.delete(stranger)
    if (others?.size === 0) this.#byOrigin.delete(origin)
  }

  /** Turns all away. */
  clear(): void {
    for (const stranger of this.#strangers.keys()) {
      this.delete(stranger)
      stranger.destroy()
    }
  }

  #drop(of: Iterable<T>): void {
    for (const oldest of of) {
      this.#dropped++
      this.delete(oldest)
      oldest.destroy()
      return
    }
  }
}
