import { SpoiledError, StalledError } from '../errors.ts'

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

/** An item may have to share the node's download limit with so many peers of others. */
const mostPeers = 64
const blockBytes = 16_384
/** The longest wait that setTimeout takes. */
const longestMs = 2 ** 31 - 1

/**
 * A transfer that this node itself slows down has not stalled.
 * @param downloadLimit bytes per second; 0 is no limit
 */
export function slowed(limits: StallLimits, downloadLimit: () => number): StallLimits {
  const share = (): number => (downloadLimit() || Infinity) / mostPeers
  return {
    ...limits,
    get idleMs() {
      return Math.max(limits.idleMs, (blockBytes * 1000) / share())
    },
    get windowMs() {
      return Math.max(limits.windowMs, (2 * blockBytes * 1000) / share())
    },
    get bytesPerSecond() {
      return Math.min(limits.bytesPerSecond, share())
    },
  }
}

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
    this.#watch(0, 1, () => this.#received, 'bytes')
    // A byte proves right with its piece, so that a window must have room for whole ones.
    this.#watch(2 * item.pieceLength, 0.5, () => this.#verified, 'right bytes')
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

  /** @param bytes what there must be time for in a window at the least rate; @param share of that rate that is asked for */
  #watch(bytes: number, share: number, count: () => number, what: string): void {
    const at = this.#windows.length
    const look = (before: number, windowMs: number, rate: number): void => {
      const now = count()
      if (now - before >= (rate * share * windowMs) / 1000) return begin(now, 0)
      const seen = `${now - before} ${what} in ${windowMs / 1000} s, where ${rate} a second are the least`
      this.#fail(new StalledError(this.#item.infoHash, seen))
    }
    const begin = (before: number, later: number): void => {
      // Limits may change while the transfer runs: each window has those of its beginning.
      const rate = this.#limits.bytesPerSecond
      const windowMs = Math.min(Math.max(this.#limits.windowMs, (bytes / rate) * 1000), longestMs - later)
      this.#windows[at] = setTimeout(() => look(before, windowMs, rate), later + windowMs)
    }
    begin(0, this.#limits.startMs)
  }

  #fail(reason: Error): void {
    this.clear()
    this.#abort.abort(reason)
  }
}
