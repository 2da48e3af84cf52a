import { InvalidInputError, shardOf, shardsOf, shardUrl } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Egress } from '../../egress/index.ts'
import type { InfoHashTable } from '../awake/info-hash-table.ts'
import { printable } from './errors.ts'
import { HttpTracker } from './http.ts'
import type { Announcing, Progress, TrackerConnection } from './port.ts'
import { Schedule } from './schedule.ts'
import { UdpTracker } from './udp.ts'
import { WebSocketTracker } from './websocket.ts'
import type { OfferExchange } from './websocket.ts'

export interface AnnouncerOptions {
  trackers: readonly string[]
  node: Announcing
  /** What is announced is in it before it is added here, and until it was removed here. */
  table: InfoHashTable
  /** Asked for at each announce; undefined is a torrent held whole that nobody downloads. */
  progress: (infoHash: string) => Progress | undefined
  /** A tracker named a peer, as `ip:port`. */
  found(infoHash: string, peer: string): void
  signalling: OfferExchange
  /** Judges where the trackers are; absent for those that the operator named. */
  egress?: Egress
  logger: Logger
  /** Milliseconds, never going back. */
  now?: () => number
  random?: () => number
}

/** Milliseconds for farewells when the node stops. */
const farewellTime = 2_700

/** Announces under way at a time to one tracker. HTTP takes a connection for each. */
const concurrency = { http: 32, udp: 128, ws: 256 }

/** Texts of one tracker that are logged: one that has always something else to say may not fill the log. */
const mostWarnings = 20

/** Of one tracker, by number; nearly every one has one. */
type Shards = readonly Schedule[]

/** Tells every tracker what this node has and wants. Trackers that are down, or talk nonsense, are tried again. */
export class Announcer {
  readonly #table: InfoHashTable
  readonly #trackers: Shards[] = []
  /** Those that pass offers on. */
  readonly #signalling: Shards[] = []

  /** @throws InvalidInputError for a URL that is no tracker's */
  constructor(options: AnnouncerOptions) {
    this.#table = options.table
    for (const template of new Set(options.trackers)) {
      // What others name is no template.
      const isOwn = options.egress === undefined
      const shards = Array.from({ length: isOwn ? shardsOf(template) : 1 }, (_, shard) =>
        scheduleOf(isOwn ? shardUrl(template, shard) : template, options),
      )
      this.#trackers.push(shards)
      if (kindOf(template) === 'ws') this.#signalling.push(shards)
    }
  }

  /** Announces at once. */
  add(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.add(slot))
  }

  /** Announces what was held before, a part of `outOf`, in the order given, spread over each tracker's interval. */
  restore(infoHashes: Iterable<string>, outOf: number): void {
    const slots: number[] = []
    for (const infoHash of infoHashes) {
      const slot = this.#table.slotOf(infoHash)
      if (slot !== undefined) slots.push(slot)
    }
    for (const shards of this.#trackers) {
      const isOf = (shard: number) => (slot: number) => shardOf(this.#table.infoHashAt(slot), shards.length) === shard
      shards.forEach((schedule, shard) =>
        schedule.restore(shards.length === 1 ? slots : slots.filter(isOf(shard)), outOf / shards.length),
      )
    }
  }

  /** Asks for offers to be passed on, as soon as the trackers allow. */
  signal(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.hurry(slot), this.#signalling)
  }

  /** Announces as soon as the trackers allow: there is something to ask for, or no more. */
  hurry(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.hurry(slot))
  }

  /** The torrent is whole now. */
  complete(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.complete(slot))
  }

  /** The torrent is gone, and added again in a moment as the same one: no farewell is said until that took too long. */
  handOver(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.handOver(slot))
  }

  /** Says farewell. The slot may be given to another infohash when this returns. */
  remove(infoHash: string): void {
    this.#each(infoHash, (schedule, slot) => schedule.remove(slot))
  }

  /** Says farewell for as much as some 3 s allow. */
  async close(): Promise<void> {
    await Promise.all(this.#trackers.flat().map((schedule) => schedule.close(farewellTime)))
  }

  /** What is not in the table is gone already. */
  #each(infoHash: string, tell: (schedule: Schedule, slot: number) => void, trackers = this.#trackers): void {
    const slot = this.#table.slotOf(infoHash)
    if (slot === undefined) return
    for (const shards of trackers) {
      const schedule = shards[shardOf(infoHash, shards.length)]
      if (schedule !== undefined) tell(schedule, slot)
    }
  }
}

function scheduleOf(url: string, options: AnnouncerOptions): Schedule {
  const { now = () => performance.now(), random = Math.random, logger } = options
  const kind = kindOf(url)
  const said = warnings(url, logger)
  const schedule: Schedule = new Schedule({
    tracker: connect(kind, url, options, now, said, (error) => schedule.restart(error)),
    table: options.table,
    concurrency: concurrency[kind],
    farewell: kind !== 'ws',
    progress: options.progress,
    answered: (infoHash, { peers, warning }) => {
      if (warning !== undefined) said(warning)
      for (const peer of peers) options.found(infoHash, peer)
    },
    failed: (error) => logger.debug({ tracker: url, err: error }, 'an announce failed'),
    stands: (up, error) => {
      if (up) logger.info({ tracker: url }, 'a tracker answers again')
      else logger.warn({ tracker: url, err: error }, 'a tracker does not answer; it is tried again')
    },
    now,
    random,
  })
  return schedule
}

function kindOf(url: string): 'http' | 'udp' | 'ws' {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  if (protocol === 'http:' || protocol === 'https:') return 'http'
  if (protocol === 'udp:') return 'udp'
  if (protocol === 'ws:' || protocol === 'wss:') return 'ws'
  throw new InvalidInputError(`${url} is no tracker URL: use http, https, udp, ws or wss`)
}

function connect(
  kind: 'http' | 'udp' | 'ws',
  url: string,
  { node, signalling, egress }: AnnouncerOptions,
  now: () => number,
  said: (text: string) => void,
  lost: (error: Error) => void,
): TrackerConnection {
  if (kind === 'http') return new HttpTracker(url, node, now, undefined, egress)
  if (kind === 'udp') return new UdpTracker(url, node, now, undefined, egress)
  return new WebSocketTracker({ url, node, exchange: signalling, lost, said, now, egress })
}

/** Logs what a tracker says to the operator, each text once. */
function warnings(tracker: string, logger: Logger): (text: string) => void {
  const seen = new Set<string>()
  return (text) => {
    const warning = printable(text)
    if (seen.has(warning) || seen.size >= mostWarnings) return
    seen.add(warning)
    logger.warn({ tracker, warning }, 'a tracker warns')
  }
}
