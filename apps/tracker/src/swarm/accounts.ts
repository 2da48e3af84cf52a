import type { Announce } from './announce.ts'

/** Bytes of one key, whole and not negative. */
export type Credit = (key: number, uploaded: number, downloaded: number) => void

/**
 * Which peers came with which passkey, and what they say to have given and taken since their last announce: columns that
 * only a private tracker has. A key takes memory here for as long as it has peers, or a total that was not told.
 */
export class Accounts {
  readonly limits: {
    /** Most peers of one key at once. May change while it runs, as may the next one. */
    peersPerKey: number
    /** Bytes a second that one peer may be believed to give, and to take. */
    peerBytesPerSecond: number
  }
  // Columns of peers.
  readonly #places: Int32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #uploaded: Float64Array
  readonly #downloaded: Float64Array
  // Columns of keys, by their place.
  readonly #placeOf = new Map<number, number>()
  readonly #freed: number[] = []
  readonly #keys: number[] = []
  readonly #first: number[] = []
  readonly #counts: number[] = []
  readonly #given: number[] = []
  readonly #taken: number[] = []
  // Keys with something to tell, those that changed first in front.
  readonly #due = new Set<number>()

  /** @param peers most of them at once, of all keys */
  constructor(peers: number, limits: Accounts['limits']) {
    this.limits = limits
    this.#places = new Int32Array(peers)
    this.#next = new Int32Array(peers)
    this.#previous = new Int32Array(peers)
    this.#uploaded = new Float64Array(peers)
    this.#downloaded = new Float64Array(peers)
  }

  keyOf(peer: number): number {
    return this.#keys[this.#places[peer] as number] as number
  }

  /** Fills in key and totals. */
  read(peer: number, into: Announce): void {
    into.key = this.keyOf(peer)
    into.uploaded = this.#uploaded[peer] as number
    into.downloaded = this.#downloaded[peer] as number
  }

  /** Whether a key has as many peers as it may. */
  isFull(key: number): boolean {
    const place = this.#placeOf.get(key)
    return place !== undefined && (this.#counts[place] as number) >= this.limits.peersPerKey
  }

  /** One of the peers of a key, or -1. */
  first(key: number): number {
    const place = this.#placeOf.get(key)
    return place === undefined ? -1 : (this.#first[place] as number)
  }

  /** Every key that has a peer. */
  *keys(): Iterable<number> {
    for (const [key, place] of this.#placeOf) if ((this.#counts[place] as number) > 0) yield key
  }

  /** What a newcomer says to have given and taken already is where its account begins: nothing is credited. */
  join(peer: number, { key, uploaded, downloaded }: Announce): void {
    const place = this.#placeOf.get(key) ?? this.#open(key)
    const next = this.#first[place] as number
    this.#places[peer] = place
    this.#next[peer] = next
    this.#previous[peer] = -1
    if (next !== -1) this.#previous[next] = peer
    this.#first[place] = peer
    this.#counts[place] = (this.#counts[place] as number) + 1
    this.#uploaded[peer] = Number.isNaN(uploaded) ? 0 : uploaded
    this.#downloaded[peer] = Number.isNaN(downloaded) ? 0 : downloaded
  }

  /**
   * Credits what has changed since a peer's last word. Who says less than before began anew; who says more than a line can
   * carry is believed as much as it can.
   */
  note(peer: number, { uploaded, downloaded }: Announce, seconds: number): void {
    const most = Math.max(1, seconds) * this.limits.peerBytesPerSecond
    const given = this.#difference(this.#uploaded, peer, uploaded, most)
    const taken = this.#difference(this.#downloaded, peer, downloaded, most)
    if (given === 0 && taken === 0) return
    const place = this.#places[peer] as number
    this.#given[place] = (this.#given[place] as number) + given
    this.#taken[place] = (this.#taken[place] as number) + taken
    this.#due.add(place)
  }

  leave(peer: number): void {
    const place = this.#places[peer] as number
    const next = this.#next[peer] as number
    const previous = this.#previous[peer] as number
    if (next !== -1) this.#previous[next] = previous
    if (previous === -1) this.#first[place] = next
    else this.#next[previous] = next
    this.#counts[place] = (this.#counts[place] as number) - 1
    this.#closeIfIdle(place)
  }

  /** Tells what came together since it was told last, of so many keys at most. */
  take(most: number, credit: Credit): void {
    let left = most
    for (const place of this.#due) {
      if (left-- === 0) return
      this.#tell(place, credit)
    }
  }

  /** The same of one key. */
  takeOf(key: number, credit: Credit): void {
    const place = this.#placeOf.get(key)
    if (place !== undefined && this.#due.has(place)) this.#tell(place, credit)
  }

  #tell(place: number, credit: Credit): void {
    const key = this.#keys[place] as number
    const given = this.#given[place] as number
    const taken = this.#taken[place] as number
    this.#due.delete(place)
    this.#given[place] = 0
    this.#taken[place] = 0
    this.#closeIfIdle(place)
    credit(key, given, taken)
  }

  #difference(column: Float64Array, peer: number, said: number, most: number): number {
    if (Number.isNaN(said)) return 0
    const before = column[peer] as number
    column[peer] = said
    return Math.max(0, Math.floor(Math.min(said - before, most)))
  }

  #open(key: number): number {
    const place = this.#freed.pop() ?? this.#keys.length
    this.#placeOf.set(key, place)
    this.#keys[place] = key
    this.#first[place] = -1
    this.#counts[place] = 0
    this.#given[place] = 0
    this.#taken[place] = 0
    return place
  }

  #closeIfIdle(place: number): void {
    if (this.#counts[place] !== 0 || this.#due.has(place)) return
    this.#placeOf.delete(this.#keys[place] as number)
    this.#freed.push(place)
  }
}
