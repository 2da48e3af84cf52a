import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'

export type Transport = 'http' | 'udp' | 'ws'
export type Action = 'connect' | 'announce' | 'scrape'

/** Why a request was not served, besides the access rules: beyond a limit or banned, forged, or more than could be sent. */
export type Reason = 'malformed' | 'access' | 'limit' | 'forged' | 'stray' | 'congested'

const transports = ['http', 'udp', 'ws'] as const
const actions = ['connect', 'announce', 'scrape'] as const

/**
 * What happened on the listeners, for `/metrics`. Foreign garbage is counted, and logged at debug only. Counting is a sum
 * of plain numbers, for it is done for every packet; they become metrics when those are read.
 */
export class Counts {
  readonly #answered = new Map(transports.map((name) => [name, { connect: 0, announce: 0, scrape: 0 }]))
  readonly #refused = { http: 0, udp: 0, ws: 0 }
  readonly #reasons: Record<string, number> = {}
  readonly #failed: Counter<'transport'>
  readonly #log: Logger

  constructor(registry: Registry, log: Logger) {
    const registers = [registry]
    this.#log = log
    const answered: Counter<'transport' | 'action'> = new Counter({
      name: 'eldernode_tracker_requests_total',
      help: 'Requests that were understood.',
      labelNames: ['transport', 'action'],
      registers,
      collect: () => {
        answered.reset()
        for (const [transport, counts] of this.#answered) {
          for (const action of actions) if (counts[action] > 0) answered.inc({ transport, action }, counts[action])
        }
      },
    })
    const refused: Counter<'transport'> = new Counter({
      name: 'eldernode_tracker_refused_total',
      help: 'Requests that were malformed, forged or beyond a limit.',
      labelNames: ['transport'],
      registers,
      collect: () => {
        refused.reset()
        for (const transport of transports) refused.inc({ transport }, this.#refused[transport])
      },
    })
    this.#failed = new Counter({
      name: 'eldernode_tracker_socket_errors_total',
      help: 'Answers that could not be sent, and broken connections.',
      labelNames: ['transport'],
      registers,
    })
  }

  answered(transport: Transport, action: Action): void {
    const counts = this.#answered.get(transport)
    if (counts) counts[action]++
  }

  refused(transport: Transport, reason: Reason = 'malformed'): void {
    this.#refused[transport]++
    const name = `${transport}_${reason}`
    this.#reasons[name] = (this.#reasons[name] ?? 0) + 1
  }

  /** Requests that were understood so far, by `<transport>_<action>`. */
  get sums(): Record<string, number> {
    const all: Record<string, number> = {}
    for (const [transport, sums] of this.#answered) {
      for (const action of actions) if (sums[action] > 0) all[`${transport}_${action}`] = sums[action]
    }
    return all
  }

  /** Requests that were refused so far, by `<transport>_<reason>`. */
  get refusals(): Record<string, number> {
    return { ...this.#reasons }
  }

  failed(transport: Transport, error: Error): void {
    this.#failed.inc({ transport })
    this.#log.debug({ err: error, transport }, 'socket error')
  }
}

/** A number that is asked for when `/metrics` is read. */
export const gauge = (registry: Registry, name: string, help: string, read: () => number): void => {
  const metric: Gauge = new Gauge({ name, help, registers: [registry], collect: () => metric.set(read()) })
}
