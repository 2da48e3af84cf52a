import { randomInt } from 'node:crypto'
import { Population } from '../../harness/index.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { firstBlock } from './first-block.ts'
import { daemon, freePort } from './node.ts'

const samples = 200

export const waking: Part = { name: 'waking', keys: ['wake_ms'], run }

async function run({ items, library }: Stage): Promise<Figures> {
  const [folder, port, population] = [await library(), await freePort(), new Population({ items })]
  const node = daemon(folder, [], port)
  try {
    await node.start()
    await node.ready(60_000)
    const [asleep, awake]: [number[], number[]] = [[], []]
    // The first ones load what every later one needs.
    for (let i = -20; i < samples; i++) {
      const infoHash = population.infoHash(randomInt(items))
      const [first, again] = [
        await firstBlock(port, infoHash, population.size),
        await firstBlock(port, infoHash, population.size),
      ]
      if (i < 0) continue
      asleep.push(first)
      awake.push(again)
    }
    const figure = round(median(asleep) - median(awake), 2)
    const slow = asleep.toSorted((a, b) => a - b)[Math.floor(samples * 0.95)] ?? Number.NaN
    tell(
      'TCP handshake to first block, asleep - awake',
      `${figure} ms`,
      `asleep ${median(asleep).toFixed(1)} ms (95th of 100: ${slow.toFixed(1)}), awake ${median(awake).toFixed(1)} ms`,
    )
    return { wake_ms: figure }
  } finally {
    await node.stop()
  }
}
