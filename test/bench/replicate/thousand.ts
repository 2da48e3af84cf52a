import { round, tell, type Figures, type Part, type Stage } from '../publish/figures.ts'
import { items, networkOf, publish } from './items.ts'
import { provenAll } from './standing.ts'

/** 1,000 items of 64 KiB published to 4 nodes until all have the proven copies that they want, as every node sees it. */
async function run({ folder }: Stage): Promise<Figures> {
  const network = await networkOf(4, folder)
  try {
    const start = performance.now()
    const since = (): number => (performance.now() - start) / 1000
    await publish(network)
    const published = since()
    await provenAll(network, items)
    const seconds = since()
    tell(`${items} items of 64 KiB at target 3`, `${seconds.toFixed(1)} s`, `published after ${published.toFixed(1)} s`)
    return { thousand_items_s: round(seconds, 1) }
  } finally {
    await network.close()
  }
}

export const thousand: Part = { name: 'thousand', keys: ['thousand_items_s'], run }
