export interface PlacesOptions {
  /** Connections, open or being made. */
  maxConnections: number
  /** Connections being made. */
  maxNegotiating: number
  /** Milliseconds, never backwards. */
  now: () => number
}

/** What holds a place. */
export interface Guest {
  /** Another takes the place; it is free already. */
  evicted(): void
}

/** Milliseconds in which two peers that can reach each other have connected, nearly always. */
const patience = 5_000

interface Negotiation {
  tracker: string
  since: number
}

/**
 * Places of WebRTC connections. Those being made are few, and one message to a tracker asks for one: whoever fills them
 * must not shut out the others. When they are taken, the oldest that had time enough leaves, or else the oldest of the
 * tracker that most of them came by, if the newcomer's has fewer.
 */
export class Places {
  readonly #now: () => number
  readonly #guests = new Set<Guest>()
  readonly #offers = new Set<Guest>()
  readonly #negotiating = new Map<Guest, Negotiation>()
  readonly #byTracker = new Map<string, Set<Guest>>()
  #maxConnections: number
  #maxNegotiating: number

  constructor({ maxConnections, maxNegotiating, now }: PlacesOptions) {
    this.#maxConnections = maxConnections
    this.#maxNegotiating = maxNegotiating
    this.#now = now
  }

  get size(): number {
    return this.#guests.size
  }

  get negotiating(): number {
    return this.#negotiating.size
  }

  /** Connections that are made. */
  get open(): number {
    return this.#guests.size - this.#offers.size - this.#negotiating.size
  }

  get full(): boolean {
    return this.#guests.size >= this.#maxConnections
  }

  /** Applies at once: offers of this node leave first, then connections being made, the newest of each before others. */
  limit({ maxConnections, maxNegotiating }: Pick<PlacesOptions, 'maxConnections' | 'maxNegotiating'>): void {
    this.#maxConnections = maxConnections
    this.#maxNegotiating = maxNegotiating
    this.#evict(this.#negotiating.keys(), this.#negotiating.size - maxNegotiating)
    for (const group of [this.#offers, this.#negotiating.keys(), this.#guests]) {
      this.#evict(group, this.#guests.size - maxConnections)
    }
  }

  /** Takes a place for an offer of this node, which waits for an answer; a quarter of all is for those. */
  offer(guest: Guest): boolean {
    const most = Math.ceil(this.#maxConnections / 4)
    if (this.full || this.#offers.size >= most) return false
    this.#guests.add(guest)
    this.#offers.add(guest)
    return true
  }

  /** Takes a place for an offer that is about to be answered. @returns false when there is none */
  take(guest: Guest, tracker: string): boolean {
    if (this.full) return false
    const full = this.#negotiating.size >= this.#maxNegotiating
    const leaving = full ? this.#leaving(tracker) : undefined
    if (full && leaving === undefined) return false
    if (leaving !== undefined) {
      this.leave(leaving)
      leaving.evicted()
    }
    this.#guests.add(guest)
    this.#negotiating.set(guest, { tracker, since: this.#now() })
    const others = this.#byTracker.get(tracker)
    if (others === undefined) this.#byTracker.set(tracker, new Set([guest]))
    else others.add(guest)
    return true
  }

  /** The connection is made. */
  settle(guest: Guest): void {
    this.#offers.delete(guest)
    const negotiation = this.#negotiating.get(guest)
    if (negotiation === undefined) return
    this.#negotiating.delete(guest)
    const same = this.#byTracker.get(negotiation.tracker)
    same?.delete(guest)
    if (same?.size === 0) this.#byTracker.delete(negotiation.tracker)
  }

  leave(guest: Guest): void {
    this.settle(guest)
    this.#guests.delete(guest)
  }

  /** The newest of these, so many. */
  #evict(guests: Iterable<Guest>, count: number): void {
    if (count <= 0) return
    for (const guest of [...guests].slice(-count)) {
      this.leave(guest)
      guest.evicted()
    }
  }

  #leaving(tracker: string): Guest | undefined {
    for (const [oldest, { since }] of this.#negotiating) {
      if (since + patience <= this.#now()) return oldest
      break
    }
    const most = [...this.#byTracker.values()].reduce((a, b) => (b.size > a.size ? b : a))
    if (most.size <= (this.#byTracker.get(tracker)?.size ?? 0) + 1) return undefined
    for (const oldest of most) return oldest
    return undefined
  }
}
