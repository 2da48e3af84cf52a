import type { z } from 'zod'
import { leavesOf } from './leaf.ts'
import type { LoadedSettings } from './load.ts'
import { sourceText } from './source.ts'

/** One line of a settings table. `default` is empty when there is none. */
export interface SettingRow {
  key: string
  env: string
  default: string
  expected: string
  description: string
  /** Whether a running process takes a new value. */
  hot: boolean
}

/** Every setting of a schema, for the README and `--help`. */
export const describeSettings = (schema: z.ZodObject): SettingRow[] =>
  leavesOf(schema).map(({ key, env, default: value, expected, description, hot }) => ({
    key,
    env,
    default: value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value),
    expected,
    description,
    hot,
  }))

/** The settings part of `--help`. */
export const helpText = (schema: z.ZodObject): string =>
  describeSettings(schema)
    .map(({ key, env, default: value, expected, description, hot }) => {
      const notes = [
        env,
        expected,
        ...(value === '' ? [] : [`default ${value}`]),
        ...(hot ? ['applied on SIGHUP'] : []),
      ]
      return `  --${key}\n      ${description}\n      (${notes.join('; ')})\n`
    })
    .join('')

/** Each value and where it came from, as a TOML file that could be read back, except for secrets. */
export const printSettings = <S extends z.ZodObject>(schema: S, loaded: LoadedSettings<z.output<S>>): string =>
  leavesOf(schema)
    .map(({ key, path, secret }) => {
      const value = path.reduce<unknown>((group, name) => (group as Record<string, unknown>)[name], loaded.values)
      const source = sourceText(loaded.sources.get(key) ?? { kind: 'default' })
      if (value === undefined) return `# ${key} is not set\n`
      return `${key} = ${secret && value !== '' ? '"***"' : JSON.stringify(value)} # ${source}\n`
    })
    .join('')
