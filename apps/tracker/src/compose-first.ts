import type { Logger } from 'pino'
import { type Followed, Supervisor } from './cluster/index.ts'
import type { TrackerSettings } from './config.ts'
import { Network, type News } from './network/index.ts'
import { SnapshotFiles } from './snapshot-file.ts'

const program = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** Follows the network once for all workers. */
const followed = ({ network: settings }: TrackerSettings, log: Logger): Followed | undefined => {
  const { owner } = settings
  if (owner === undefined) return undefined
  let listener: (news: News) => void = () => {}
  const network = new Network({ settings: { ...settings, owner }, tell: (news) => listener(news), log })
  return {
    start: (tell) => {
      listener = tell
      network.start()
    },
    save: () => network.save(),
    get standing() {
      return network.standing
    },
    stop: () => network.stop(),
  }
}

/** Builds the first process of a tracker of several workers. */
export const composeFirst = (settings: TrackerSettings, log: Logger): Supervisor => {
  const snapshot = settings.snapshot === '' ? undefined : new SnapshotFiles(settings.snapshot, log)
  return new Supervisor({
    settings,
    log,
    program,
    network: followed(settings, log),
    begun: () => snapshot?.discard(),
  })
}
