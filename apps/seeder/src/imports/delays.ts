interface Delayed {
  owner: string
  /** Milliseconds since 1970. */
  until: number
  timer: NodeJS.Timeout
}

/** What waits for a time, not for a turn. */
export class Delays {
  readonly #delayed = new Map<string, Delayed>()

  get size(): number {
    return this.#delayed.size
  }

  sizeOf(owner: string): number {
    let count = 0
    for (const delayed of this.#delayed.values()) if (delayed.owner === owner) count++
    return count
  }

  /** When its time comes, in milliseconds since 1970. */
  until(id: string): number | undefined {
    return this.#delayed.get(id)?.until
  }

  add({ id, owner }: { id: string; owner: string }, ms: number, now: number, due: () => void): void {
    this.delete(id)
    const timer = setTimeout(() => {
      this.#delayed.delete(id)
      due()
    }, ms)
    this.#delayed.set(id, { owner, until: now + ms, timer })
  }

  delete(id: string): void {
    clearTimeout(this.#delayed.get(id)?.timer)
    this.#delayed.delete(id)
  }

  clear(): void {
    for (const id of this.#delayed.keys()) this.delete(id)
  }
}
