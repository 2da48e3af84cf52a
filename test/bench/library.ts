import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { populate } from '../harness/index.ts'
import { adding } from './library/adding.ts'
import { browsing } from './library/browsing.ts'
import type { Figures, Part } from './library/figures.ts'
import { idling } from './library/idling.ts'
import { seeding } from './library/seeding.ts'
import { sleeping } from './library/sleeping.ts'
import { starting } from './library/starting.ts'
import { waking } from './library/waking.ts'
import { webRtc } from './library/webrtc.ts'

/**
 * A library of 100,000 items on one node, each figure beside its reference. `scripts/bench library` runs all parts;
 * names after it run some: `scripts/bench library sleeping idling`.
 */
const parts: readonly Part[] = [sleeping, starting, waking, idling, adding, browsing, seeding, webRtc]
const items = Number(process.env['LIBRARY_ITEMS'] ?? 100_000)

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !parts.some((part) => part.name === name))
if (unknown !== undefined) {
  console.error(`no part ${unknown}: there are ${parts.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

// Not the system's temporary folder, which is in memory on some machines.
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
let populated: Promise<string> | undefined

async function library(): Promise<string> {
  const started = performance.now()
  const data = join(folder, 'library')
  await populate(data, { items, published: true })
  // Or the disk would be busy with it during what is measured next.
  execFileSync('sync')
  console.log(`populated a library of ${items} items in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  return data
}

const figures: Figures = {}
try {
  for (const part of parts) {
    if (wanted.length > 0 && !wanted.includes(part.name)) continue
    Object.assign(figures, await part.run({ folder, items, library: () => (populated ??= library()) }))
  }
  console.log(JSON.stringify({ bench: 'library', figures }))
} finally {
  await rm(folder, { recursive: true, force: true })
}
