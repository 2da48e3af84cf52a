import { EldernodeError, reloadSettings, SettingsError } from '@eldernode/core'
import type { Logger } from 'pino'
import { trackerSchema, type TrackerSettings } from './config.ts'

export interface ReloadOptions {
  running: TrackerSettings
  read: () => TrackerSettings
  change: (settings: TrackerSettings) => Promise<void>
  log: Logger
}

/**
 * Settings and lists that are read again while the tracker runs: what may change does, what may not is named in the log,
 * and what is wrong changes nothing.
 */
export class Reload {
  readonly #options: ReloadOptions
  #running: TrackerSettings
  #turn = Promise.resolve()

  constructor(options: ReloadOptions) {
    this.#options = options
    this.#running = options.running
  }

  /** One at a time, in the order in which they were asked for. */
  run(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#run())
    return this.#turn
  }

  async #run(): Promise<void> {
    const { read, change, log } = this.#options
    try {
      const { values, applied, pending } = reloadSettings(trackerSchema, this.#running, read())
      await change(values)
      this.#running = values
      log.info({ applied }, 'the settings were read again')
      if (pending.length > 0) log.warn({ pending }, 'these settings have changed, and hold after a restart only')
    } catch (error) {
      if (!(error instanceof EldernodeError)) throw error
      const reason = error instanceof SettingsError ? error.list.trim() : error.message
      log.error(
        { reason },
        'the settings or lists are wrong, and nothing was changed: correct them, then send SIGHUP again',
      )
    }
  }
}
