import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Figures, Part } from './figures.ts'

/** Runs all parts, or those that the command line names, in a folder of their own; the last line is their figures. */
export async function runParts<Stage>(
  bench: string,
  parts: readonly Part<Stage>[],
  stageIn: (folder: string) => Stage,
): Promise<void> {
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((name) => !parts.some((part) => part.name === name))
  if (unknown !== undefined) {
    console.error(`no part ${unknown}: there are ${parts.map(({ name }) => name).join(', ')}`)
    process.exit(2)
  }
  // Not the system's temporary folder, which is in memory on some machines.
  const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? '/var/tmp', 'eldernode-bench-'))
  const stage = stageIn(folder)
  const figures: Figures = {}
  try {
    for (const part of parts) {
      if (wanted.length > 0 && !wanted.includes(part.name)) continue
      Object.assign(figures, await part.run(stage))
    }
    console.log(JSON.stringify({ bench, figures }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
