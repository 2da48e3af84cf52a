import { coarseBytes } from '@eldernode/core'
import { Gauge, type Registry } from 'prom-client'
import type { Imports } from './imports.ts'

/** Read when they are asked for. */
export function observe(imports: Pick<Imports, 'stats'>, registry: Registry): void {
  const registers = [registry]
  const byState = (name: string, help: string, read: () => Record<string, number>) =>
    new Gauge({
      name: `eldernode_${name}`,
      help,
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of Object.entries(read())) this.set({ state }, count)
      },
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
  byState('imports', 'Unfinished imports; waiting: one that failed is tried again.', () => imports.stats().now)
  byState('imports_ended', 'Imports that ended since the start.', () => imports.stats().ended)
  gauge(
    'imports_retried',
    'Failed tries since the start after which an import is tried again.',
    () => imports.stats().retried,
  )
  gauge('imports_bytes', 'Bytes that imports got since the start, in steps of 16 MiB.', () =>
    coarseBytes(imports.stats().bytes),
  )
}
