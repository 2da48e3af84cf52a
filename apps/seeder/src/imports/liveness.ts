import { ImportStalledError, NoSourceFoundError } from './errors.ts'
import { slowness } from './pace.ts'

export interface LivenessLimits {
  /** Milliseconds to find somebody who sends. */
  searchMs: number
  /** Milliseconds over which the rate is averaged. */
  windowMs: number
  /** The least rate of bytes that turn out right, unless this node itself is slower. */
  bytesPerSecond: number
}

export const leastLiveness: LivenessLimits = { searchMs: 60_000, windowMs: 120_000, bytesPerSecond: 4096 }

/** Peers send some blocks twice when an item is nearly whole. */
const spareBytes = 2 ** 20

/**
 * Ends the fetch of a torrent that gets nowhere.
 *
 * Threat: peers that send a byte now and then, or any number of wrong ones, would keep one of few places for ever.
 */
export class Liveness {
  readonly #abort = new AbortController()
  readonly #infoHash: string
  readonly #limits: LivenessLimits
  readonly #ownLimit: () => number
  #timer: NodeJS.Timeout
  #size = Infinity
  #pieceLength = 0
  #received = 0
  #verified = 0

  /** @param ownLimit bytes per second that this node lets itself fetch; 0 is no limit */
  constructor(infoHash: string, limits: LivenessLimits, ownLimit: () => number) {
    this.#infoHash = infoHash
    this.#limits = limits
    this.#ownLimit = ownLimit
    this.#timer = setTimeout(() => this.#found(), limits.searchMs)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** What the torrent is, once that is known. */
  knows({ size, pieceLength }: { size: number; pieceLength: number }): void {
    this.#size = size
    this.#pieceLength = pieceLength
  }

  /** Bytes so far: all that arrived, and those of pieces that proved right. */
  moved(received: number, verified: number): void {
    this.#received = received
    this.#verified = verified
    if (received > 2 * this.#size + spareBytes)
      this.#fail(new ImportStalledError(`${received} bytes came of ${this.#size}, and most were wrong`))
  }

  /** Each source that there was gave wrong bytes. */
  poisoned(): void {
    this.#fail(new ImportStalledError('the bytes of all its sources were wrong'))
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #found(): void {
    if (this.#received === 0) this.#fail(new NoSourceFoundError(this.#infoHash, this.#limits.searchMs / 1000))
    else this.#watch()
  }

  #watch(): void {
    // Many items may share the node's own limit. A byte proves right with its piece: a window has room for two of them.
    const least = Math.min(this.#limits.bytesPerSecond, (this.#ownLimit() || Infinity) / 64)
    const windowMs = Math.min(Math.max(this.#limits.windowMs, (2 * this.#pieceLength * 1000) / least), 2 ** 31 - 1)
    const before = this.#verified
    this.#timer = setTimeout(() => {
      const bytes = this.#verified - before
      if ((bytes * 1000) / windowMs < least) this.#fail(new ImportStalledError(slowness(bytes, windowMs, least)))
      else this.#watch()
    }, windowMs)
  }

  #fail(reason: Error): void {
    this.clear()
    this.#abort.abort(reason)
  }
}
