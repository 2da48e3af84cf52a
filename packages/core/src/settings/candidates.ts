import type { SettingsProblem } from './errors.ts'
import { envPrefix, type Leaf } from './leaf.ts'
import type { SettingAlias } from './alias.ts'
import { sourceText, type SettingSource } from './source.ts'

/** What one source says about one setting, before the schema has seen it. */
export interface Candidate {
  leaf: Leaf
  value: unknown
  source: SettingSource
}

export interface Found {
  candidates: Candidate[]
  problems: SettingsProblem[]
}

const unknown = (key: string, source: SettingSource, message = 'no such setting; --help lists them all') => ({
  key,
  source: sourceText(source),
  message,
})

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** Settings in a parsed TOML file; tables are groups. */
export const fromFile = (leaves: readonly Leaf[], name: string, table: unknown): Found => {
  const byKey = new Map(leaves.map((leaf) => [leaf.key, leaf]))
  const groups = new Set(
    leaves.flatMap(({ path }) => path.slice(0, -1).map((_, end) => path.slice(0, end + 1).join('.'))),
  )
  const found: Found = { candidates: [], problems: [] }
  const source: SettingSource = { kind: 'file', name }
  const walk = (value: unknown, key: string): void => {
    const leaf = byKey.get(key)
    if (leaf) found.candidates.push({ leaf, value, source })
    else if (!groups.has(key) && key !== '') found.problems.push(unknown(key, source))
    else if (!isTable(value)) found.problems.push(unknown(key, source, 'expected a table of settings'))
    else for (const [part, child] of Object.entries(value)) walk(child, key === '' ? part : `${key}.${part}`)
  }
  walk(table, '')
  return found
}

/** Settings in the environment. An empty variable counts as not set, as compose files leave them. */
export const fromEnvironment = (leaves: readonly Leaf[], env: Readonly<Record<string, string | undefined>>): Found => {
  const byEnv = new Map(leaves.map((leaf) => [leaf.env, leaf]))
  const found: Found = { candidates: [], problems: [] }
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || text === undefined || text === '') continue
    const source: SettingSource = { kind: 'environment', name }
    const leaf = byEnv.get(name)
    if (leaf) found.candidates.push({ leaf, value: fromText(leaf, text), source })
    else found.problems.push(unknown(name, source))
  }
  return found
}

/** Settings by names that other programs gave them. The first alias that is set counts. */
export const fromAliases = (
  leaves: readonly Leaf[],
  aliases: readonly SettingAlias[],
  env: Readonly<Record<string, string | undefined>>,
): Candidate[] => {
  const found = new Map<string, Candidate>()
  for (const { name, key, translate = (text: string) => text } of aliases) {
    const text = env[name]
    const leaf = leaves.find((one) => one.key === key)
    if (leaf === undefined) throw new TypeError(`the alias ${name} is of no setting: ${key}`)
    if (text === undefined || text === '' || found.has(key)) continue
    found.set(key, { leaf, value: fromText(leaf, translate(text)), source: { kind: 'alias', name } })
  }
  return [...found.values()]
}

/** Settings on the command line: `--a.b=c`, `--a.b c`, `--a.b` for true. A repeated list grows, else the last wins. */
export const fromFlags = (leaves: readonly Leaf[], argv: readonly string[]): Found => {
  const byKey = new Map(leaves.map((leaf) => [leaf.key, leaf]))
  const problems: SettingsProblem[] = []
  const texts = new Map<Leaf, string[]>()
  for (let at = 0; at < argv.length; at++) {
    const [, key = argv[at] ?? '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(argv[at] ?? '') ?? []
    const source: SettingSource = { kind: 'flag', name: `--${key}` }
    const leaf = byKey.get(key)
    const next = argv[at + 1]
    if (argv[at] === key) {
      problems.push({ key, source: 'command line', message: 'expected a flag such as --name=value' })
    } else if (!leaf) {
      problems.push(unknown(key, source))
      // The word after an unknown flag is its value, not a second problem.
      if (inline === undefined && next !== undefined && !next.startsWith('--')) at++
    } else if (inline !== undefined) {
      texts.set(leaf, [...(texts.get(leaf) ?? []), inline])
    } else if (leaf.type === 'boolean' && next !== 'true' && next !== 'false') {
      texts.set(leaf, ['true'])
    } else if (next === undefined || next.startsWith('--')) {
      problems.push(unknown(key, source, `has no value, expected ${leaf.expected}`))
    } else {
      texts.set(leaf, [...(texts.get(leaf) ?? []), next])
      at++
    }
  }
  const candidates = [...texts].map(([leaf, all]) => ({
    leaf,
    value: fromText(leaf, leaf.type === 'list' ? all.join(',') : (all.at(-1) ?? '')),
    source: { kind: 'flag', name: `--${leaf.key}` } as const,
  }))
  return { candidates, problems }
}

/** Text that is not of the type stays text, for the schema to refuse. */
const fromText = (leaf: Leaf, text: string): unknown => {
  if (leaf.type !== 'list') return scalar(leaf.type, text)
  const items = text.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '').map((item) => scalar(leaf.item, item))
}

const scalar = (type: 'string' | 'number' | 'boolean', text: string): unknown => {
  if (type === 'number' && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === '1')) return true
  if (type === 'boolean' && (text === 'false' || text === '0')) return false
  return text
}
