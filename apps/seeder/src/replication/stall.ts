import { SpoiledError, StalledError } from './errors.ts'

export interface StallLimits {
  /** Milliseconds in which at least one byte must arrive. */
  idleMs: number
  /** Milliseconds to find sources, before the first window begins. */
  startMs: number
  /** Milliseconds over which the rate is averaged. */
  windowMs: number
  /** The least rate of what arrives; half of it must turn out right. */
  bytesPerSecond: number
}

export const stallLimits: StallLimits = {
  idleMs: 60_000,
  startMs: 30_000,
  windowMs: 120_000,
  bytesPerSecond: 16_384,
}

/** A tracker that knows a peer answers soon; a try without any other source soon gives its place to others. */
export const searchLimits: StallLimits = { ...stallLimits, idleMs: 20_000, startMs: 20_000, windowMs: 30_000 }

/** Peers send some blocks twice when an item is nearly whole. */
const spareBytes = 2 ** 20

/**
 * Aborts a transfer that gets nowhere.
 *
 * Threat: a holder that sends a byte now and then, or any number of wrong ones, would keep one of few transfers for
 * ever, and with it the items that wait.
 */
export class Stall {
  readonly #abort = new AbortController()
  readonly #limits: StallLimits
  readonly #item: { infoHash: string; size: number }
  readonly #silence: Error
  readonly #windows: NodeJS.Timeout[] = []
  #idle: NodeJS.Timeout | undefined
  #received = 0
  #verified = 0

  /** @param silence the error when nothing arrives at all */
  constructor(
    limits: StallLimits,
    item: { infoHash: string; size: number; pieceLength: number },
    silence: Error = new StalledError(item.infoHash, `nothing for ${limits.idleMs / 1000} s`),
  ) {
    this.#limits = limits
    this.#item = item
    this.#silence = silence
    this.#await()
    const { windowMs, bytesPerSecond } = limits
    const rate = bytesPerSecond / 1000
    this.#watch(windowMs, rate, () => this.#received, 'bytes')
    // A byte proves right with its piece, so that a window must have room for whole ones.
    const pieceMs = Math.max(windowMs, (2 * item.pieceLength) / rate)
    this.#watch(pieceMs, rate / 2, () => this.#verified, 'right bytes')
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Bytes so far: all that arrived, and those of pieces that proved right. */
  moved(received: number, verified: number): void {
    const { infoHash, size } = this.#item
    if (this.signal.aborted) return
    if (received > this.#received) this.#await()
    this.#received = received
    this.#verified = verified
    if (received > 2 * size + spareBytes) this.#fail(new SpoiledError(infoHash, received, size))
  }

  clear(): void {
    clearTimeout(this.#idle)
    for (const timer of this.#windows) clearTimeout(timer)
  }

  #await(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#fail(this.#silence), this.#limits.idleMs)
  }

  #watch(windowMs: number, bytesPerMs: number, count: () => number, what: string): void {
    const { startMs, bytesPerSecond } = this.#limits
    const at = this.#windows.length
    let before = 0
    const look = (): void => {
      const now = count()
      if (now - before < bytesPerMs * windowMs) {
        const rate = `${now - before} ${what} in ${windowMs / 1000} s, where ${bytesPerSecond} a second are the least`
        this.#fail(new StalledError(this.#item.infoHash, rate))
        return
      }
      before = now
      this.#windows[at] = setTimeout(look, windowMs)
    }
    this.#windows[at] = setTimeout(look, startMs + windowMs)
  }

  #fail(reason: Error): void {
    this.clear()
    this.#abort.abort(reason)
  }
}
