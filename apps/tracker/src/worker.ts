import { EldernodeError } from '@eldernode/core'
import { pino } from 'pino'
import { report, WorkerPlace } from './cluster/index.ts'
import { compose } from './compose.ts'
import { sharedClock } from './shared-clock.ts'

// Signals of a terminal reach every process of its group; the first process says what is to be done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const place = await WorkerPlace.begin((settings, own) => pino({ level: settings.log.level }).child({ worker: own }))
const tracker = compose(place.settings, place.log, sharedClock(), place)
let isStopping = false

place.follow({
  change: async (settings) => await tracker.change(settings),
  hear: (news) => tracker.hear(news),
  stop: async () => {
    if (isStopping) return
    isStopping = true
    await tracker.stop()
    process.exit(0)
  },
})
try {
  report({ is: 'listening', port: await tracker.start() })
} catch (error) {
  if (!(error instanceof EldernodeError)) throw error
  report({ is: 'failed', reason: error.message, code: error.code }, () => process.exit(1))
}
