import type { z } from 'zod'
import type { SettingAlias } from './alias.ts'
import { fromAliases, fromEnvironment, fromFile, fromFlags, type Candidate, type Found } from './candidates.ts'
import { SettingsError, type SettingsProblem } from './errors.ts'
import { leavesOf, type Leaf } from './leaf.ts'
import { sourceText, type SettingSource } from './source.ts'

/** What settings are read from. `file.values` is a parsed TOML table; `argv` holds setting flags only. */
export interface SettingsInput {
  file?: { name: string; values: unknown } | undefined
  env?: Readonly<Record<string, string | undefined>>
  argv?: readonly string[]
  aliases?: readonly SettingAlias[]
}

/** Checked settings, and for every key where its value came from. */
export interface LoadedSettings<T> {
  values: T
  sources: ReadonlyMap<string, SettingSource>
}

/**
 * Settings from defaults, aliases, file, environment and flags, lowest to highest.
 *
 * Throws `SettingsError` with every wrong value, unknown key, flag and `ELDERNODE_` variable at once.
 */
export const loadSettings = <S extends z.ZodObject>(schema: S, input: SettingsInput): LoadedSettings<z.output<S>> => {
  const leaves = leavesOf(schema)
  const found: Found[] = [
    { candidates: fromAliases(leaves, input.aliases ?? [], input.env ?? {}), problems: [] },
    ...(input.file ? [fromFile(leaves, input.file.name, input.file.values)] : []),
    fromEnvironment(leaves, input.env ?? {}),
    fromFlags(leaves, input.argv ?? []),
  ]
  const chosen = new Map(
    found.flatMap(({ candidates }) => candidates).map((candidate) => [candidate.leaf.key, candidate]),
  )
  const parsed = schema.safeParse(assemble(leaves, chosen))
  const problems = found.flatMap((one) => one.problems)
  if (!parsed.success) problems.push(...refusals(leaves, chosen, parsed.error.issues))
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems)
  const sources = new Map(leaves.map(({ key }) => [key, chosen.get(key)?.source ?? ({ kind: 'default' } as const)]))
  return { values: parsed.data, sources }
}

const assemble = (leaves: readonly Leaf[], chosen: ReadonlyMap<string, Candidate>): Record<string, unknown> => {
  const root: Record<string, unknown> = {}
  for (const { key, path } of leaves) {
    let group = root
    for (const name of path.slice(0, -1)) group = (group[name] ??= {}) as Record<string, unknown>
    const candidate = chosen.get(key)
    if (candidate) group[path.at(-1) ?? key] = candidate.value
  }
  return root
}

/** One problem per setting, however many issues the schema has with it. */
const refusals = (
  leaves: readonly Leaf[],
  chosen: ReadonlyMap<string, Candidate>,
  issues: readonly z.core.$ZodIssue[],
): SettingsProblem[] => {
  const problems = new Map<string, SettingsProblem>()
  for (const issue of issues) {
    const path = issue.path.join('.')
    const leaf = leaves.find(({ key }) => path === key || path.startsWith(`${key}.`))
    const key = leaf?.key ?? path
    if (!problems.has(key)) problems.set(key, refusal(key, leaf, chosen.get(key), issue))
  }
  return [...problems.values()]
}

const refusal = (
  key: string,
  leaf: Leaf | undefined,
  candidate: Candidate | undefined,
  issue: z.core.$ZodIssue,
): SettingsProblem => {
  const source = sourceText(candidate?.source ?? { kind: 'default' })
  if (!leaf || issue.code === 'custom')
    return { key, source, message: `${blamed(leaf, candidate, issue)}${issue.message}` }
  if (!candidate) return { key, source, message: `has no value, expected ${leaf.expected}` }
  const got = leaf.secret ? 'a wrong value (not shown)' : JSON.stringify(candidate.value)
  return { key, source, message: `got ${got}, expected ${leaf.expected}` }
}

/** The value that a refusal in the schema's own words is about, as far as the operator wrote it. */
const blamed = (
  leaf: Leaf | undefined,
  candidate: Candidate | undefined,
  { path, message }: z.core.$ZodIssue,
): string => {
  if (!leaf || !candidate || leaf.secret || !message.startsWith('expected')) return ''
  const item = path[leaf.path.length]
  const value: unknown =
    Array.isArray(candidate.value) && typeof item === 'number' ? candidate.value[item] : candidate.value
  return `got ${JSON.stringify(value)}, `
}
