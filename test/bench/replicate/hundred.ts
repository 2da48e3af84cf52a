import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { aria2, seededBytes, until, type Network } from '../../harness/index.ts'
import { median, round, tell, type Figures, type Part, type Stage } from '../publish/figures.ts'
import { networkOf } from './items.ts'
import { provenCopies } from './standing.ts'

const size = 100 * 10 ** 6

/**
 * 100 MB published to one of 4 nodes until there are 3 proven copies, beside two downloads of it by aria2 at a time: with its
 * .torrent, which saves aria2 the 5 s that it takes to find metadata by magnet.
 */
async function run({ folder, rounds }: Stage): Promise<Figures> {
  // With a tracker: aria2 takes no part of the address in a magnet.
  const network = await networkOf(4, folder, {}, true)
  const results: { ours: number; reference: number }[] = []
  try {
    for (let turn = 0; turn <= rounds; turn++) {
      const { id, ours } = await copy(network, turn)
      const reference = await download(`${network.first.url}/v1/media/${id}/torrent`, join(folder, `aria2-${turn}`))
      if (turn > 0) results.push({ ours, reference })
      await network.first.retract(id)
      console.log(`round ${turn}: ${ours.toFixed(2)} s, aria2 ${reference.toFixed(2)} s`)
    }
  } finally {
    await network.close()
  }
  const seconds = median(results.map(({ ours }) => ours))
  const ratio = median(results.map(({ ours, reference }) => ours / reference))
  tell(
    '100 MB at target 3',
    `${seconds.toFixed(2)} s`,
    `aria2 ${median(results.map((one) => one.reference)).toFixed(2)} s`,
  )
  return { hundred_mb_s: round(seconds, 2), vs_aria2_ratio: round(ratio, 2) }
}

async function copy(network: Network, turn: number): Promise<{ id: string; ours: number }> {
  const bytes = seededBytes(turn + 1, size)
  const start = performance.now()
  const { id } = await network.first.publish(`${turn}.bin`, bytes)
  await until(async () => (await provenCopies(network.first, id)) >= 3, {
    within: 120_000,
    every: 20,
    what: 'there are three proven copies',
  })
  return { id, ours: (performance.now() - start) / 1000 }
}

async function download(source: string, folder: string): Promise<number> {
  const start = performance.now()
  await Promise.all([aria2(source, join(folder, 'a')), aria2(source, join(folder, 'b'))])
  const seconds = (performance.now() - start) / 1000
  await rm(folder, { recursive: true, force: true })
  return seconds
}

export const hundred: Part = { name: 'hundred', keys: ['hundred_mb_s', 'vs_aria2_ratio'], run }
