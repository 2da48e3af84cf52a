import type { z } from 'zod'
import { type Leaf, leavesOf } from './leaf.ts'

/** Settings read again while a process runs. Keys are dotted paths. */
export interface ReloadedSettings<T> {
  /** What the process runs with from now on: hot settings as they were read, all others as they were. */
  values: T
  /** Hot settings that changed. */
  applied: string[]
  /** Settings that changed and need a restart. */
  pending: string[]
}

/** Takes what may change in a running process, of settings that were read and checked again. */
export const reloadSettings = <S extends z.ZodObject>(
  schema: S,
  running: z.output<S>,
  read: z.output<S>,
): ReloadedSettings<z.output<S>> => {
  const changed = leavesOf(schema).filter(
    (leaf) => JSON.stringify(valueOf(running, leaf)) !== JSON.stringify(valueOf(read, leaf)),
  )
  const values = structuredClone(running)
  for (const leaf of changed) {
    if (leaf.hot) groupOf(values, leaf)[leaf.path.at(-1) ?? leaf.key] = valueOf(read, leaf)
  }
  const keys = (hot: boolean) => changed.filter((leaf) => leaf.hot === hot).map(({ key }) => key)
  return { values, applied: keys(true), pending: keys(false) }
}

type Group = Record<string, unknown>

const groupOf = (values: Group, { path }: Leaf): Group =>
  path.slice(0, -1).reduce((group, name) => group[name] as Group, values)

const valueOf = (values: Group, leaf: Leaf): unknown => groupOf(values, leaf)[leaf.path.at(-1) ?? leaf.key]
