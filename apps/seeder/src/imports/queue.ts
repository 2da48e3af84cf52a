interface Waiting {
  id: string
  owner: string
}

/** What waits for its turn, fair between owners: one who asks for much makes nobody else wait for all of it. */
export class FairQueue {
  /** Whose turn is next comes first. */
  readonly #owners = new Map<string, Set<string>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  sizeOf(owner: string): number {
    return this.#owners.get(owner)?.size ?? 0
  }

  add({ id, owner }: Waiting): void {
    const waiting = this.#owners.get(owner) ?? new Set()
    this.#owners.set(owner, waiting)
    if (waiting.has(id)) return
    waiting.add(id)
    this.#size++
  }

  /** Takes the next one: the oldest of an owner of whom the fewest run, and fewer than `most`. */
  take(running: (owner: string) => number, most: (owner: string) => number): Waiting | undefined {
    let next: string | undefined
    let fewest = Infinity
    for (const owner of this.#owners.keys()) {
      const count = running(owner)
      if (count < fewest && count < most(owner)) [next, fewest] = [owner, count]
      if (fewest === 0) break
    }
    if (next === undefined) return undefined
    const waiting = this.#owners.get(next)
    const [id] = waiting ?? []
    if (waiting === undefined || id === undefined) return undefined
    this.delete({ id, owner: next })
    // Behind the others.
    if (this.#owners.delete(next)) this.#owners.set(next, waiting)
    return { id, owner: next }
  }

  /** @returns whether it waited */
  delete({ id, owner }: Waiting): boolean {
    const waiting = this.#owners.get(owner)
    if (waiting?.delete(id) !== true) return false
    this.#size--
    if (waiting.size === 0) this.#owners.delete(owner)
    return true
  }
}
