import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Population } from '../../harness/index.ts'
import { type Figures, median, type Part, round, type Stage, tell } from './figures.ts'
import { firstBlock } from './first-block.ts'
import { daemon, freePort } from './node.ts'

const starts = 5

export const starting: Part = { name: 'starting', keys: ['start_to_first_byte_s'], run }

async function run({ items, library }: Stage): Promise<Figures> {
  const [folder, port, population] = [await library(), await freePort(), new Population({ items })]
  const seconds: number[] = []
  for (let i = 0; i < starts; i++) {
    const infoHash = population.infoHash(randomInt(items))
    const node = daemon(folder, [], port)
    try {
      const started = performance.now()
      const [at] = await Promise.all([served(port, infoHash, population.size), node.start()])
      seconds.push((at - started) / 1000)
      // A start that is cut short would leave work to the next one.
      await node.ready(60_000)
    } finally {
      await node.stop()
    }
  }
  const all = seconds.map((second) => second.toFixed(2)).join(', ')
  const figure = round(median(seconds), 2)
  tell(`process start to first byte, ${items} items`, `${figure} s`, `(${all}); qBittorrent: minutes to hours`)
  return { start_to_first_byte_s: figure }
}

/** When the first block of an item came, of a daemon that is just starting. */
async function served(port: number, infoHash: string, size: number): Promise<number> {
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      await firstBlock(port, infoHash, size)
      return performance.now()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(10)
    }
  }
}
