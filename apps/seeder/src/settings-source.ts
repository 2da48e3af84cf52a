import { readFileSync } from 'node:fs'
import { readCommand } from '@eldernode/core'
import { parse } from 'smol-toml'
import { settingAliases } from './aliases.ts'
import { type Config, configSchema } from './config.ts'

export interface Origin {
  argv: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  /** Read when it exists and `--config` names no other. */
  defaultFile?: string
}

/** Where the settings of this process come from, at its start and whenever they are read again. */
export class SettingsSource {
  readonly #origin: Required<Origin>
  /** Files that were there once. Without its settings a node would run as if it had no limits. */
  readonly #seen = new Set<string>()

  constructor(origin: Origin) {
    this.#origin = { defaultFile: '/etc/eldernode/seeder.toml', ...origin }
  }

  /** @throws SettingsError, also when a file that was read before is not there any more */
  read() {
    return readCommand(configSchema, {
      name: 'eldernode-seeder',
      summary: 'publishes media over BitTorrent and keeps it alive on several nodes',
      ...this.#origin,
      aliases: settingAliases,
      readToml: (path) => this.#readToml(path),
    })
  }

  /** @throws SettingsError as `read` does */
  readAgain(before: Config): Config {
    const start = this.read()
    return start.kind === 'run' ? start.values : before
  }

  #readToml(path: string): unknown {
    try {
      const table = parse(readFileSync(path, 'utf8'))
      this.#seen.add(path)
      return table
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      if (this.#seen.has(path)) throw new Error('it was read before, and is not there any more', { cause: error })
      return undefined
    }
  }
}
