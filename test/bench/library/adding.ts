import { join } from 'node:path'
import { type Seeder, seededBytes } from '../../harness/index.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'

const samples = 30

export const adding: Part = { name: 'adding', keys: ['add_ratio'], run }

/** The two alternate, for a disk's speed drifts. */
async function run({ folder, items, library }: Stage): Promise<Figures> {
  const [empty, full] = [daemon(join(folder, 'growing'), []), daemon(await library(), [])]
  try {
    for (const node of [empty, full]) {
      await node.start()
      await node.ready(60_000)
    }
    const [first, last]: [number[], number[]] = [[], []]
    for (let i = -5; i < samples; i++) {
      const [ofEmpty, ofFull] = [await timeOfAdding(empty, i), await timeOfAdding(full, i)]
      if (i < 0) continue
      first.push(ofEmpty)
      last.push(ofFull)
    }
    const figure = round(median(last) / median(first), 2)
    tell(
      `adding an item to ${items}, to next to none`,
      `${figure}`,
      `${median(last).toFixed(1)} ms, ${median(first).toFixed(1)} ms`,
    )
    return { add_ratio: figure }
  } finally {
    for (const node of [empty, full]) await node.stop()
  }
}

async function timeOfAdding(node: Seeder, index: number): Promise<number> {
  const bytes = seededBytes(2 ** 31 + index, 4096)
  const started = performance.now()
  await node.publish(`added-${index}.bin`, bytes)
  return performance.now() - started
}
