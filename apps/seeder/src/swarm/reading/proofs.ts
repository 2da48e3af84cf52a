/** Milliseconds for which a piece that was checked may be read again unchecked, as long as its files look the same. */
const trustedMs = 60_000

/** What is known of one torrent's pieces from checking them: when each was last found right. */
export class Proofs {
  readonly #count: number
  readonly #now: () => number
  /** Seconds, and the store's moment, by piece. Made with the first proof. */
  #at: Uint32Array | undefined
  #moments: Uint32Array | undefined

  /** @param now milliseconds since 1970 */
  constructor(count: number, now: () => number) {
    this.#count = count
    this.#now = now
  }

  /**
   * Remembers that a piece was right, read from files of which none was seen changed since that moment of the store;
   * with 0 that was not to be told, and the proof is of its time alone.
   */
  add(piece: number, moment: number): void {
    this.#at ??= new Uint32Array(this.#count)
    this.#moments ??= new Uint32Array(this.#count)
    this.#at[piece] = this.#now() / 1000
    this.#moments[piece] = moment
  }

  drop(piece: number): void {
    if (this.#at !== undefined) this.#at[piece] = 0
  }

  /** The moment of a proof that counts still. What is read of files that changed no later is right. */
  of(piece: number): number | undefined {
    const age = this.#now() - (this.#at?.[piece] ?? 0) * 1000
    return age >= 0 && age < trustedMs ? this.#moments?.[piece] || undefined : undefined
  }

  /** Seconds since 1970 when each piece was last found right, 0 when it was not; `undefined` when none was. */
  get times(): Uint32Array | undefined {
    return this.#at
  }
}
