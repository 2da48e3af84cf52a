import { coarseBytes } from '@eldernode/core'
import { Gauge, Histogram } from 'prom-client'
import { RepairTimes } from '../../standing/index.ts'
import type { Services } from '../services.ts'

/** How the network's items stand, for Prometheus. @returns what is known of how long repairs take */
export function observeHealth({ registry, standing, alarms, now }: Services): RepairTimes {
  for (const unit of ['items', 'bytes'] as const) {
    new Gauge({
      name: `eldernode_replication_${unit}`,
      help: `${unit === 'items' ? 'Published items' : 'Bytes of published items'} that this node knows, by how they stand.`,
      labelNames: ['level'],
      registers: [registry],
      collect() {
        for (const [level, { items, bytes }] of Object.entries(standing.totals().levels))
          this.set({ level }, unit === 'items' ? items : coarseBytes(bytes))
      },
    })
  }
  new Gauge({
    name: 'eldernode_replication_oldest_proof_seconds',
    help: 'How long ago the copy of others was last proven whose audit is longest ago; absent while they claim none.',
    registers: [registry],
    collect() {
      const { oldestProof } = standing.totals()
      if (oldestProof === undefined) this.remove()
      else this.set(Math.max(0, now() - oldestProof) / 1000)
    },
  })
  new Gauge({
    name: 'eldernode_alarms',
    help: 'What an operator should know of, as /v1/replication lists it.',
    labelNames: ['code'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { code } of alarms()) this.inc({ code })
    },
  })
  new Gauge({
    name: 'eldernode_drain_left_bytes',
    help: 'Bytes held here that have not yet their target of copies elsewhere, while the node drains.',
    registers: [registry],
    collect() {
      const drain = standing.draining()
      // Until all was looked at, all of it may be.
      this.set(coarseBytes((drain?.left ?? drain?.held)?.bytes ?? 0))
    },
  })
  const seconds = new Histogram({
    name: 'eldernode_replication_seconds',
    help: 'Time that items were below their target: new ones until they met it, others until they met it again.',
    labelNames: ['kind'],
    buckets: [1, 5, 15, 60, 300, 600, 900, 1800, 3600, 14_400, 86_400],
    registers: [registry],
  })
  const times = new RepairTimes((kind, took) => seconds.observe({ kind }, took))
  standing.onLevel((change) => times.see(change))
  return times
}
