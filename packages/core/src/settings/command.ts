import type { z } from 'zod'
import type { SettingAlias } from './alias.ts'
import { SettingsError } from './errors.ts'
import { loadSettings, type LoadedSettings } from './load.ts'
import { helpText, printSettings } from './print.ts'

/** A daemon's command line, environment and settings file. */
export interface DaemonCommand {
  /** The program as the operator calls it, for `--help`. */
  name: string
  summary: string
  /** Read when it exists and `--config` names no other. */
  defaultFile: string
  env: Readonly<Record<string, string | undefined>>
  argv: readonly string[]
  aliases?: readonly SettingAlias[]
  /** The parsed TOML table at a path, undefined when there is no such file; throws when it cannot be read or parsed. */
  readToml: (path: string) => unknown
}

/** Either text to print before a clean exit, or settings to run with. */
export type DaemonStart<T> = { kind: 'print'; text: string } | ({ kind: 'run' } & LoadedSettings<T>)

/** Understands `--help`, `--print-config`, `--config FILE` and setting flags. Throws `SettingsError`. */
export const readCommand = <S extends z.ZodObject>(schema: S, command: DaemonCommand): DaemonStart<z.output<S>> => {
  const { config, help, print, argv } = split(command.argv)
  if (help) return { kind: 'print', text: usage(schema, command) }
  const name = config ?? command.defaultFile
  const values = readFile(name, command.readToml)
  if (values === undefined && config !== undefined) throw fileProblem(config, 'there is no such file')
  const file = values === undefined ? undefined : { name, values }
  const { env, aliases = [] } = command
  const loaded = loadSettings(schema, { file, env, argv, aliases })
  return print ? { kind: 'print', text: printSettings(schema, loaded) } : { kind: 'run', ...loaded }
}

const split = (all: readonly string[]) => {
  const argv: string[] = []
  let config: string | undefined
  for (let at = 0; at < all.length; at++) {
    const word = all[at] ?? ''
    if (word === '--config') {
      config = all[++at]
      if (config === undefined) throw fileProblem('', 'expected a file after --config')
    } else if (word.startsWith('--config=')) config = word.slice('--config='.length)
    else argv.push(word)
  }
  const own = new Set(['--help', '-h', '--print-config'])
  return {
    config,
    help: argv.includes('--help') || argv.includes('-h'),
    print: argv.includes('--print-config'),
    argv: argv.filter((word) => !own.has(word)),
  }
}

const readFile = (name: string, readToml: DaemonCommand['readToml']): unknown => {
  try {
    return readToml(name)
  } catch (error) {
    throw fileProblem(name, reasonOf(error))
  }
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EISDIR') return 'this is a folder, expected a TOML file'
  if (code === 'EACCES') return 'this user may not read it'
  return error instanceof Error ? error.message : String(error)
}

const fileProblem = (name: string, message: string) =>
  new SettingsError([{ key: '--config', source: name === '' ? 'command line' : `file ${name}`, message }])

const usage = (schema: z.ZodObject, { name, summary, defaultFile }: DaemonCommand): string =>
  `${name}: ${summary}

Usage: ${name} [--config FILE] [--print-config] [--help] [--SETTING=VALUE ...]

  --config FILE     read settings from this TOML file (default ${defaultFile}, when it exists)
  --print-config    print every setting and where its value came from, then exit
  --help            print this, then exit

A flag goes before the environment, the environment before the file, the file before the default.
Lists are comma separated, or the flag is repeated.

Settings:
${helpText(schema)}`
