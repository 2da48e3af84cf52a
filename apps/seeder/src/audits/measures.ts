import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Outcome } from './outcome.ts'

export interface MeasuresOptions {
  registry: Registry
  /** Audits under way, buckets audited here, and own items that are failed. */
  running(): number
  buckets(): number
  failures(): number
}

/** What audits were like, for `/metrics`. */
export class Measures {
  readonly #outcomes: Counter<'outcome'>
  readonly #seconds: Histogram

  constructor({ registry, running, buckets, failures }: MeasuresOptions) {
    const registers = [registry]
    this.#outcomes = new Counter({
      name: 'eldernode_audits_total',
      help: 'Audits of other nodes since the start: passed, failed, late (right, but beyond the deadline) or silent.',
      labelNames: ['outcome'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'eldernode_audit_seconds',
      help: 'Time until a right piece had come whole.',
      buckets: [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2, 5, 10],
      registers,
    })
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `eldernode_${name}`,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    gauge('audits_running', 'Audits of other nodes under way.', running)
    gauge('audit_buckets', 'Buckets of other nodes that this node audits.', buckets)
    gauge(
      'audits_failed_here',
      'Items held here of which an auditor did not get a piece: they count for nobody.',
      failures,
    )
  }

  told(outcome: Outcome): void {
    this.#outcomes.inc({ outcome: outcome.what })
    if (outcome.what === 'passed' || outcome.what === 'late') this.#seconds.observe(outcome.ms / 1000)
  }
}
