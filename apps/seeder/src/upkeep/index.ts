import { Purge, type PurgeOptions } from './purge.ts'
import type { Upkeep } from './port.ts'
import { Recheck, type RecheckOptions } from './recheck.ts'

export type * from './port.ts'

export type UpkeepOptions = PurgeOptions & RecheckOptions

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const purge = new Purge(options)
  const recheck = new Recheck(options)
  return {
    start: () => {
      purge.look()
      recheck.start()
    },
    nudge: () => purge.look(),
    stats: () => ({ purged: purge.purged }),
    close: async () => {
      await Promise.all([purge.close(), recheck.close()])
    },
  }
}
