import { Expiry, type ExpiryOptions } from './expiry.ts'
import { Orphans, type OrphansOptions } from './orphans.ts'
import { Purge, type PurgeOptions } from './purge.ts'
import type { Upkeep } from './port.ts'
import { Recheck, type RecheckOptions } from './recheck.ts'
import { StorageWatch, type StorageWatchOptions } from './storage-watch.ts'
import { SurveyRounds, type SurveyOptions } from './survey.ts'

export type * from './port.ts'
export { PieceReports } from './piece-reports.ts'

export type UpkeepOptions = ExpiryOptions &
  OrphansOptions &
  PurgeOptions &
  RecheckOptions &
  StorageWatchOptions &
  SurveyOptions

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const purge = new Purge(options)
  const expiry = new Expiry(options)
  const orphans = new Orphans(options)
  const recheck = new Recheck(options)
  const survey = new SurveyRounds(options)
  const storage = new StorageWatch({
    ...options,
    storageChanged: (state) => {
      options.storageChanged(state)
      if (state === 'here') recheck.look()
    },
  })
  return {
    start: () => {
      storage.start()
      purge.look()
      expiry.look()
      orphans.start()
      recheck.start()
      survey.start()
    },
    nudge: () => {
      purge.look()
      expiry.look()
    },
    stats: () => ({ expired: expiry.expired, purged: purge.purged, surveys: survey.rounds }),
    close: async () => {
      await Promise.all([
        purge.close(),
        expiry.close(),
        orphans.close(),
        recheck.close(),
        survey.close(),
        storage.close(),
      ])
    },
  }
}
