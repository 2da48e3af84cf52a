/** Offers that may wait for an answer at once; beyond it the oldest are forgotten. */
const most = 1024

const taken = -1

/**
 * Offers that were passed on to somebody and wait for an answer, oldest first. They lie in two plain arrays that are used
 * again and again: as entries of a `Map` they would leave garbage behind that grows old before it is collected.
 */
export class OpenOffers {
  readonly #keys: number[] = []
  readonly #clients: number[] = []
  /** Those before this place were there when `forget` was called last. */
  #old = 0

  /**
   * @param key 0 or more
   * @param client who offered
   */
  add(key: number, client: number): void {
    if (this.#keys.length === most) this.#keep(0)
    if (this.#keys.length === most) this.#keep(most / 2)
    this.#keys.push(key)
    this.#clients.push(client)
  }

  /** Who offered, and waits no more; -1 when nobody did. */
  take(key: number): number {
    const keys = this.#keys
    // Most answers are to one of the last.
    let at = keys.length - 1
    while (at >= 0 && keys[at] !== key) at--
    if (at === -1) return -1
    const client = this.#clients[at] as number
    if (at === keys.length - 1) {
      keys.pop()
      this.#clients.pop()
    } else keys[at] = taken
    return client
  }

  /** Forgets those that were there when it was called before. @returns whether some are left */
  forget(): boolean {
    this.#keep(Math.min(this.#old, this.#keys.length))
    this.#old = this.#keys.length
    return this.#old > 0
  }

  /** Drops what was taken, and all before a place. */
  #keep(from: number): void {
    const keys = this.#keys
    const clients = this.#clients
    let to = 0
    let old = 0
    for (let at = from; at < keys.length; at++) {
      if (keys[at] === taken) continue
      if (at < this.#old) old++
      keys[to] = keys[at] as number
      clients[to++] = clients[at] as number
    }
    keys.length = to
    clients.length = to
    this.#old = old
  }
}
