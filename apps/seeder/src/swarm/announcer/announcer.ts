import { InvalidInputError } from '@eldernode/core'
import type { Logger } from 'pino'
import { HttpTracker } from './http.ts'
import type { Announcing, TrackerConnection } from './port.ts'
import { Schedule } from './schedule.ts'
import type { Progress } from './schedule.ts'
import { UdpTracker } from './udp.ts'
import { WebSocketTracker } from './websocket.ts'
import type { OfferExchange } from './websocket.ts'

export interface AnnouncerOptions {
  trackers: readonly string[]
  node: Announcing
  progress: (infoHash: string) => Progress | undefined
  /** A tracker named a peer, as `ip:port`. */
  found(infoHash: string, peer: string): void
  signalling: OfferExchange
  logger: Logger
  now?: () => number
  random?: () => number
}

/** Milliseconds for farewells when the node stops. */
const farewellTime = 1_000

/** Tells every tracker what this node has and wants. Trackers that are down, or talk nonsense, are tried again. */
export class Announcer {
  readonly #schedules: Schedule[] = []
  /** Those of trackers that pass offers on. */
  readonly #signalling: Schedule[] = []

  constructor(options: AnnouncerOptions) {
    for (const url of new Set(options.trackers)) {
      const schedule: Schedule = new Schedule({
        tracker: connect(url, options, () => schedule.restart()),
        concurrency: url.startsWith('ws') ? 64 : 8,
        farewell: !url.startsWith('ws'),
        progress: options.progress,
        answered: (infoHash, { peers }) => {
          for (const peer of peers) options.found(infoHash, peer)
        },
        failed: (error) => options.logger.debug({ tracker: url, err: error }, 'an announce failed'),
        now: options.now ?? Date.now,
        random: options.random ?? Math.random,
      })
      this.#schedules.push(schedule)
      if (url.startsWith('ws')) this.#signalling.push(schedule)
    }
  }

  add(infoHash: string): void {
    for (const schedule of this.#schedules) schedule.add(infoHash)
  }

  /** Asks for offers to be passed on now. */
  signal(infoHash: string): void {
    for (const schedule of this.#signalling) schedule.hurry(infoHash)
  }

  complete(infoHash: string): void {
    for (const schedule of this.#schedules) schedule.complete(infoHash)
  }

  remove(infoHash: string): void {
    for (const schedule of this.#schedules) schedule.remove(infoHash)
  }

  async close(): Promise<void> {
    await Promise.all(this.#schedules.map((schedule) => schedule.close(farewellTime)))
  }
}

function connect(url: string, options: AnnouncerOptions, reset: () => void): TrackerConnection {
  const { protocol } = new URL(url)
  if (protocol === 'http:' || protocol === 'https:') return new HttpTracker(url, options.node)
  if (protocol === 'udp:') return new UdpTracker(url, options.node, options.now ?? Date.now)
  if (protocol !== 'ws:' && protocol !== 'wss:')
    throw new InvalidInputError(`${url} is no tracker URL: use http, https, udp, ws or wss`)
  return new WebSocketTracker(url, options.node, options.signalling, reset)
}
