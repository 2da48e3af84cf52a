import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crowd } from './publish/crowd.ts'
import { encrypted } from './publish/encrypted.ts'
import type { Figures, Part } from './publish/figures.ts'
import { get } from './publish/get.ts'
import { multipart } from './publish/multipart.ts'
import { put } from './publish/put.ts'
import { range } from './publish/range.ts'
import { small } from './publish/small.ts'

/**
 * Putting media in and getting it out, each figure beside its reference. `scripts/bench publish` runs all parts; names
 * after it run some: `scripts/bench publish small put`.
 */
const parts: readonly Part[] = [put, encrypted, multipart, small, range, crowd, get]

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !parts.some((part) => part.name === name))
if (unknown !== undefined) {
  console.error(`no part ${unknown}: there are ${parts.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
const rounds = Number(process.env['ROUNDS'] ?? 5)
const figures: Figures = {}
try {
  for (const part of parts) {
    if (wanted.length > 0 && !wanted.includes(part.name)) continue
    Object.assign(figures, await part.run({ folder, rounds }))
  }
  console.log(JSON.stringify({ bench: 'publish', figures }))
} finally {
  await rm(folder, { recursive: true, force: true })
}
