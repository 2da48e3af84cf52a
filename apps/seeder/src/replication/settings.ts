import type { ReplicationOptions } from './options.ts'

/** The settings of these names. */
export interface ReplicationSettings {
  reads: { maxBytes: number; keepSeconds: number; waitSeconds: number }
  repair: { grace: number; rate: number; concurrent: number }
}

export function settingsOf({ reads, repair }: ReplicationSettings): Pick<ReplicationOptions, 'reads' | 'repair'> {
  return {
    reads: { maxBytes: reads.maxBytes, keepMs: reads.keepSeconds * 1000, waitMs: reads.waitSeconds * 1000 },
    repair: { ...repair, graceMs: repair.grace * 1000 },
  }
}
