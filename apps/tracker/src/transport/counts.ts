import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'

export type Transport = 'http' | 'udp' | 'ws'

/** What happened on the listeners, for `/metrics`. Foreign garbage is counted, and logged at debug only. */
export class Counts {
  readonly #answered: Counter<'transport' | 'action'>
  readonly #refused: Counter<'transport'>
  readonly #failed: Counter<'transport'>
  readonly #log: Logger

  constructor(registry: Registry, log: Logger) {
    const registers = [registry]
    this.#log = log
    this.#answered = new Counter({
      name: 'eldernode_tracker_requests_total',
      help: 'Requests that were understood.',
      labelNames: ['transport', 'action'],
      registers,
    })
    this.#refused = new Counter({
      name: 'eldernode_tracker_refused_total',
      help: 'Requests that were malformed, forged or beyond a limit.',
      labelNames: ['transport'],
      registers,
    })
    this.#failed = new Counter({
      name: 'eldernode_tracker_socket_errors_total',
      help: 'Answers that could not be sent, and broken connections.',
      labelNames: ['transport'],
      registers,
    })
  }

  answered(transport: Transport, action: string): void {
    this.#answered.inc({ transport, action })
  }

  refused(transport: Transport): void {
    this.#refused.inc({ transport })
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
