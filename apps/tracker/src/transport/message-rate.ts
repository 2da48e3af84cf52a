import type { Host } from '../swarm/index.ts'

/** What connections of one address have in common. */
interface Share {
  readonly place: string
  talkers: number
  /** Messages that newcomers may still begin with, and in which second they were counted. */
  allowed: number
  counted: number
}

/** Who says something, and can be kept waiting. */
export interface Talker {
  readonly from: Host
  /** Messages that it may still send, and in which second they were counted. Kept by `MessageRate`, as is the share. */
  allowed: number
  counted: number
  share: Share | undefined
  /** Nothing more is heard of it until `resume`. */
  pause(): void
  resume(): void
}

/** Seconds of its rate that one may use at once. */
const burst = 10

/** An address, or a /64 of IPv6, may say as much as so many connections. More of them have equal parts of that. */
const connectionsPerAddress = 10

/**
 * How much each connection may say, and each address. Nothing is lost, and nobody is sent away: who says too much is not
 * read until its turn comes, so that the network holds back the rest. Who says little does not wait for loud neighbours.
 */
export class MessageRate {
  readonly #limits: { messagesPerSocket: number }
  readonly #held = new Set<Talker>()
  readonly #shares = new Map<string, Share>()
  // Without connections, those that lost their last one first in front. Kept until a new one would be as good.
  readonly #idle = new Set<Share>()
  #second = 0

  constructor(limits: { messagesPerSocket: number }) {
    this.#limits = limits
  }

  /** What it begins with comes out of what its address may say, so that nobody says more by coming again. */
  begin(talker: Talker): void {
    const { kind, high, low } = talker.from
    const place = `${kind} ${high} ${low}`
    const most = this.#limits.messagesPerSocket * connectionsPerAddress
    let share = this.#shares.get(place)
    if (share === undefined) {
      share = { place, talkers: 0, allowed: most * burst, counted: this.#second }
      this.#shares.set(place, share)
    }
    this.#idle.delete(share)
    share.talkers++
    gain(share, most, this.#second)
    talker.share = share
    talker.allowed = Math.min(share.allowed, this.#rateOf(talker) * burst)
    talker.counted = this.#second
    share.allowed -= talker.allowed
    if (most > 0 && talker.allowed <= 0) this.#hold(talker)
  }

  /** Counts one message. */
  heard(talker: Talker): void {
    if (this.#limits.messagesPerSocket === 0) return
    if (talker.counted !== this.#second) gain(talker, this.#rateOf(talker), this.#second)
    if (--talker.allowed <= 0) this.#hold(talker)
  }

  leave(talker: Talker): void {
    this.#held.delete(talker)
    const { share } = talker
    talker.share = undefined
    if (share === undefined || --share.talkers > 0) return
    gain(share, this.#limits.messagesPerSocket * connectionsPerAddress, this.#second)
    this.#idle.add(share)
  }

  /** To be called once a second. */
  tick(): void {
    this.#second++
    for (const talker of this.#held) {
      gain(talker, this.#rateOf(talker), this.#second)
      if (this.#limits.messagesPerSocket > 0 && talker.allowed <= 0) continue
      this.#held.delete(talker)
      talker.resume()
    }
    for (const share of this.#idle) {
      if (this.#second - share.counted < burst) break
      this.#idle.delete(share)
      this.#shares.delete(share.place)
    }
  }

  #hold(talker: Talker): void {
    if (this.#held.has(talker)) return
    this.#held.add(talker)
    talker.pause()
  }

  #rateOf({ share }: Talker): number {
    const most = this.#limits.messagesPerSocket
    return Math.min(most, (most * connectionsPerAddress) / (share?.talkers ?? 1))
  }
}

const gain = (one: Pick<Talker, 'allowed' | 'counted'>, most: number, second: number): void => {
  if (one.counted === second) return
  one.allowed = Math.min(most * burst, one.allowed + (second - one.counted) * most)
  one.counted = second
}
