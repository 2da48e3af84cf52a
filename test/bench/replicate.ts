import { runParts } from './parts/run.ts'
import type { Part } from './publish/figures.ts'
import { harm } from './replicate/harm.ts'
import { heal } from './replicate/heal.ts'
import { hundred } from './replicate/hundred.ts'
import { reconcile } from './replicate/reconcile.ts'
import { thousand } from './replicate/thousand.ts'

/**
 * Copies made, proven and healed, all on loopback. `scripts/bench replicate` runs all parts; names after it run some:
 * `scripts/bench replicate thousand heal`.
 */
const parts: readonly Part[] = [hundred, thousand, heal, reconcile, harm]

const rounds = Number(process.env['ROUNDS'] ?? 3)
await runParts('replicate', parts, (folder) => ({ folder, rounds }))
