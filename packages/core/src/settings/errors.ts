import { EldernodeError } from '../errors.ts'

/** One thing that is wrong with the settings: its key as the operator wrote it, and where it was written. */
export interface SettingsProblem {
  key: string
  source: string
  message: string
}

/** One or more settings are wrong; the message lists all of them, a line each. */
export class SettingsError extends EldernodeError {
  readonly problems: readonly SettingsProblem[]

  constructor(problems: readonly SettingsProblem[]) {
    const lines = problems.map(({ key, source, message }) => `  ${key} (${source}): ${message}`)
    const count = problems.length === 1 ? 'One setting is wrong' : `${problems.length} settings are wrong`
    super('invalid_settings', `${count}; correct it and start again:\n${lines.join('\n')}`)
    this.problems = problems
  }
}
