import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Figures, Part } from './publish/figures.ts'
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

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !parts.some((part) => part.name === name))
if (unknown !== undefined) {
  console.error(`no part ${unknown}: there are ${parts.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
const rounds = Number(process.env['ROUNDS'] ?? 3)
const figures: Figures = {}
try {
  for (const part of parts) {
    if (wanted.length > 0 && !wanted.includes(part.name)) continue
    Object.assign(figures, await part.run({ folder, rounds }))
  }
  console.log(JSON.stringify({ bench: 'replicate', figures }))
} finally {
  await rm(folder, { recursive: true, force: true })
}
