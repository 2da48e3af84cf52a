import { EldernodeError, SettingsError } from '@eldernode/core'
import { LockedError, takeLock } from '@eldernode/member/lock'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import type { TrackerSettings } from './config.ts'
import { SnapshotFiles } from './snapshot-file.ts'

/** Another process works with what a setting names. */
export class HeldError extends EldernodeError {
  constructor(key: string, path: string, options?: ErrorOptions) {
    super(
      'held',
      `${key}: another eldernode process works with ${path}. Stop that one, or name a place of this one's own.`,
      options,
    )
  }
}

interface Held {
  key: string
  path: string
  lock: string
}

/**
 * Takes the folder and the files that the settings name for this tracker, with all its workers, until the returned
 * function is called or the process ends.
 * @throws HeldError, SnapshotError, SettingsError
 */
export const takeOwnFiles = (settings: TrackerSettings, log: Logger): (() => void) => {
  const { network, snapshot, ledger, cluster } = settings
  if (snapshot !== '') checkSnapshot(settings, log)
  const held: Held[] = []
  const add = (key: string, path: string): void => void held.push({ key, path, lock: `${path}.lock` })
  if (network.owner !== undefined) {
    // The same as a seeder's of its data folder.
    held.push({ key: 'network.folder', path: network.folder, lock: join(network.folder, 'lock') })
  }
  if (snapshot !== '') add('snapshot', snapshot)
  if (ledger.file !== '' && cluster.valkey === '') add('ledger.file', ledger.file)
  const releases: (() => void)[] = []
  const release = (): void => {
    for (const one of releases) one()
  }
  try {
    for (const one of held) releases.push(take(one))
  } catch (error) {
    release()
    throw error
  }
  return release
}

const checkSnapshot = ({ snapshot, cluster: { workers } }: TrackerSettings, log: Logger): void => {
  if (workers === 1) return new SnapshotFiles(snapshot, log).check()
  for (let shard = 0; shard < workers; shard++) new SnapshotFiles(snapshot, log, shard).check()
}

const take = ({ key, path, lock }: Held): (() => void) => {
  try {
    if (key === 'network.folder') mkdirSync(path, { recursive: true, mode: 0o750 })
    return takeLock(lock)
  } catch (error) {
    if (error instanceof LockedError) throw new HeldError(key, path, { cause: error })
    const reason = error instanceof Error ? error.message : String(error)
    const where = key === 'network.folder' ? path : dirname(path)
    const message = `${lock} cannot be made (${reason}): give ${where} to the user of this program, or name another place`
    throw new SettingsError([{ key, source: 'checked at the start', message }])
  }
}
