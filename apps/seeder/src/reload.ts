import { EldernodeError, reloadSettings } from '@eldernode/core'
import type { Logger } from 'pino'
import { type Config, configSchema } from './config.ts'

/**
 * Settings that were read again while the node runs: what may change does, what may not is named in the log, and when
 * one of them is wrong nothing changes at all.
 */
export class Reload {
  readonly #read: () => Config
  readonly #change: (config: Config) => void
  readonly #log: Logger
  #running: Config

  constructor(options: { running: Config; read: () => Config; change: (config: Config) => void; log: Logger }) {
    this.#running = options.running
    this.#read = options.read
    this.#change = options.change
    this.#log = options.log
  }

  run(): void {
    try {
      const { values, applied, pending } = reloadSettings(configSchema, this.#running, this.#read())
      this.#change(values)
      this.#running = values
      this.#log.info({ applied }, 'the settings were read again')
      if (pending.length > 0) this.#log.warn({ pending }, 'these settings have changed, and hold after a restart only')
    } catch (error) {
      if (!(error instanceof EldernodeError)) throw error
      this.#log.error({ reason: error.message }, 'the settings are wrong: nothing was changed')
    }
  }
}
