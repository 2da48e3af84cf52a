import { EldernodeError } from '@eldernode/core'
import { ImportFailedError, ImportStalledError } from './errors.ts'

const firstMs = 10_000

/** Of this node, or of who has a torrent. */
const passing: ReadonlySet<string> = new Set([
  'disk_full',
  'disk_unwritable',
  'graph_closed',
  'hashing_failed',
  'import_changed',
  'import_no_source',
  'not_member',
  'storage_suspended',
  'swarm_closed',
])

/** Whether the same import may do better later. What is not known to pass stays as it is. */
export function passes(error: unknown): error is EldernodeError {
  if (error instanceof ImportFailedError) return error.passes
  if (error instanceof ImportStalledError) return true
  return error instanceof EldernodeError && passing.has(error.code)
}

/**
 * Milliseconds before it is tried once more: 10 s, 40 s, 160 s and so on, a quarter more or less, so that imports that
 * failed together do not come back together. @param attempts how often it was begun
 */
export function waitAfter(attempts: number, random: () => number = Math.random): number {
  return Math.round(Math.min(firstMs * 4 ** (attempts - 1), 3_600_000) * (0.75 + random() / 2))
}
