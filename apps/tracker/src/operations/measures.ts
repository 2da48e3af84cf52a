import type { Logger } from 'pino'
import { largestTold, Rates, type WorkerStats } from '../admin/index.ts'
import { kinds, type Kind, type Swarms } from '../swarm/index.ts'

export interface MeasuresOptions {
  worker: number
  swarms: Pick<Swarms, 'swarms' | 'peers' | 'peersOf' | 'largest'>
  webSockets: { readonly sockets: number }
  manners: { readonly bans: number }
  /** Requests that were understood, since the process began. */
  answered: () => Record<string, number>
  /** Those that were not served, by reason. */
  refused: () => Record<string, number>
  limits: { readonly swarms: number; readonly peers: number }
  log: Logger
  /** Milliseconds, never going backwards. */
  now: () => number
}

const readMs = 10_000

/** Readings between two lines of the log that sum up. */
const readingsPerLine = 60

/** Torrents that one look for the largest goes through. */
const look = 1_000_000

/** Parts of a limit: from the first on it is near, below the second no more. */
const near = 0.9
const far = 0.8

/** What this process knows of itself, read now and then and on demand. Nothing is done for an announce. */
export class Measures {
  readonly #options: MeasuresOptions
  readonly #rates = new Rates()
  readonly #began: number
  readonly #near = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #readings = 0

  constructor(options: MeasuresOptions) {
    this.#options = options
    this.#began = options.now()
  }

  start(): void {
    this.note()
    this.#timer = setInterval(() => this.note(), readMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Reads the counters, warns of limits that are near, and sums up in the log every 10 minutes. */
  note(): void {
    const { answered, now, swarms, webSockets, log, limits } = this.#options
    this.#rates.note(now(), answered())
    this.#watch('swarms', swarms.swarms, limits.swarms)
    this.#watch('peers', swarms.peers, limits.peers)
    if (this.#readings++ % readingsPerLine !== 0 || this.#readings === 1) return
    const { rates, refused, bans, memory } = this.read(0)
    log.info(
      {
        swarms: swarms.swarms,
        peers: swarms.peers,
        webSockets: webSockets.sockets,
        bans,
        rates,
        refused,
        rss: memory.rss,
      },
      'the last ten minutes',
    )
  }

  read(largest = largestTold): WorkerStats {
    const { worker, swarms, webSockets, manners, answered, refused, now } = this.#options
    const peers = (kind: Kind) => ({ giving: swarms.peersOf(kind, false), fetching: swarms.peersOf(kind, true) })
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
    return {
      worker,
      pid: process.pid,
      uptimeSeconds: Math.round((now() - this.#began) / 1000),
      swarms: swarms.swarms,
      peers: { ipv4: peers(kinds.ipv4), ipv6: peers(kinds.ipv6), webSocket: peers(kinds.socket) },
      webSockets: webSockets.sockets,
      bans: manners.bans,
      rates: this.#rates.since(now(), answered()),
      refused: refused(),
      memory: { rss, heapUsed, external, arrayBuffers },
      largest: largest === 0 ? [] : swarms.largest(largest, look),
    }
  }

  #watch(name: 'swarms' | 'peers', count: number, most: number): void {
    const isNear = this.#near.has(name)
    if (!isNear && count >= most * near) {
      this.#near.add(name)
      this.#options.log.warn({ [name]: count, most }, `limits.${name} is near: beyond it newcomers are turned away`)
    } else if (isNear && count < most * far) this.#near.delete(name)
  }
}
