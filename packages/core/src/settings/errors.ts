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
  /** A line for each, without what to do then. */
  readonly list: string

  constructor(problems: readonly SettingsProblem[]) {
    const list = problems.map(({ key, source, message }) => `  ${key} (${source}): ${message}`).join('\n')
    const [count, them] =
      problems.length === 1 ? ['One setting is wrong', 'it'] : [`${problems.length} settings are wrong`, 'them']
    super('invalid_settings', `${count}; correct ${them} and start again:\n${list}`)
    this.problems = problems
    this.list = list
  }
}
