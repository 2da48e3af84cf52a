/** Who says something, and can be kept waiting. */
export interface Talker {
  /** Messages that it may still send, and in which second they were counted. Kept by `MessageRate`. */
  allowed: number
  counted: number
  pause(): void
  resume(): void
}

/** Seconds of its rate that one may use at once. */
const burst = 10

/**
 * How much each connection may say. Nothing is lost, and nobody is sent away: who says too much is not read until its turn
 * comes, so that the network holds back the rest.
 */
export class MessageRate {
  readonly #limits: { messagesPerSocket: number }
  readonly #held = new Set<Talker>()
  #second = 0

  constructor(limits: { messagesPerSocket: number }) {
    this.#limits = limits
  }

  begin(talker: Talker): void {
    talker.allowed = this.#limits.messagesPerSocket * burst
    talker.counted = this.#second
  }

  /** Counts one message. What came together with it is still read, and owed. */
  heard(talker: Talker): void {
    const most = this.#limits.messagesPerSocket
    if (most === 0) return
    this.#gain(talker, most)
    if (--talker.allowed > 0 || this.#held.has(talker)) return
    this.#held.add(talker)
    talker.pause()
  }

  leave(talker: Talker): void {
    this.#held.delete(talker)
  }

  /** To be called once a second. */
  tick(): void {
    this.#second++
    const most = this.#limits.messagesPerSocket
    for (const talker of this.#held) {
      this.#gain(talker, most)
      if (most > 0 && talker.allowed <= 0) continue
      this.#held.delete(talker)
      talker.resume()
    }
  }

  #gain(talker: Talker, most: number): void {
    if (talker.counted === this.#second) return
    talker.allowed = Math.min(most * burst, talker.allowed + (this.#second - talker.counted) * most)
    talker.counted = this.#second
  }
}
