import type { ReplicationOptions } from './options.ts'

/** The settings of these names. */
export interface ReplicationSettings {
  reads: { maxBytes: number; keepSeconds: number; waitSeconds: number }
  repair: { grace: number; rate: number; concurrent: number }
  retention: { purgeAfter: number }
  node: { zone: string; operator: string }
}

export function settingsOf({
  reads,
  repair,
  retention,
  node: { zone, operator },
}: ReplicationSettings): Pick<ReplicationOptions, 'reads' | 'repair' | 'retentionMs' | 'zone' | 'operator'> {
  return {
    reads: { maxBytes: reads.maxBytes, keepMs: reads.keepSeconds * 1000, waitMs: reads.waitSeconds * 1000 },
    repair: { ...repair, graceMs: repair.grace * 1000 },
    retentionMs: retention.purgeAfter * 1000,
    zone,
    operator,
  }
}
