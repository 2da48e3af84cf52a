import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { populate } from '../harness/index.ts'
import { adding } from './library/adding.ts'
import { browsing } from './library/browsing.ts'
import type { Part } from './library/figures.ts'
import { idling } from './library/idling.ts'
import { seeding } from './library/seeding.ts'
import { sleeping } from './library/sleeping.ts'
import { starting } from './library/starting.ts'
import { waking } from './library/waking.ts'
import { webRtc } from './library/webrtc.ts'
import { runParts } from './parts/run.ts'

/**
 * A library of 100,000 items on one node, each figure beside its reference. `scripts/bench library` runs all parts;
 * names after it run some: `scripts/bench library sleeping idling`.
 */
const parts: readonly Part[] = [sleeping, starting, waking, idling, adding, browsing, seeding, webRtc]
const items = Number(process.env['LIBRARY_ITEMS'] ?? 100_000)

async function populated(data: string): Promise<string> {
  const started = performance.now()
  await populate(data, { items, published: true })
  // Or the disk would be busy with it during what is measured next.
  execFileSync('sync')
  console.log(`populated a library of ${items} items in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  return data
}

await runParts('library', parts, (folder) => {
  let library: Promise<string> | undefined
  return { folder, items, library: () => (library ??= populated(join(folder, 'library'))) }
})
