import { join } from 'node:path'
import { Program, until } from '../../harness/index.ts'
import { build, generate, generatorArgs, type Kind, start } from './trackers.ts'

const recorded = join(import.meta.dirname, 'offer-sdp.json')
const sockets = 10_000

/** Resident bytes of a peer of HTTP or UDP: 1,000 swarms of 1,000. */
export const bytesPerUdpPeer = async (folder: string): Promise<number> => {
  const generator = await build('udp', folder)
  const figures: number[] = []
  for (const kind of ['eldernode', 'opentracker'] as const) {
    const tracker = await start(kind, folder)
    try {
      // The first requests compile the code and fill the buffers.
      await generate(generator, [tracker.port, 1, join(folder, 'hashes.txt'), 10, 30])
      const before = await tracker.resident()
      const text = await generate(generator, [tracker.port, 0, join(folder, 'hashes.txt'), 1000, 0, 'fill'])
      const peers = Number(text.split(' ')[0]) - 10_000
      figures.push(Math.round(((await tracker.resident()) - before) / peers))
      console.log(`udp peers: ${kind} ${figures.at(-1)} bytes for each of ${peers}`)
    } finally {
      await tracker.stop()
    }
  }
  return figures[0] ?? Number.NaN
}

/** Resident bytes of an idle peer behind a WebSocket: 10,000 sockets in 1,000 swarms. */
export const bytesPerWsPeer = async (folder: string): Promise<number> => {
  const generator = await build('ws', folder)
  const perPeer = async (kind: Kind): Promise<number> => {
    const tracker = await start(kind, folder)
    try {
      const grown: number[] = []
      for (const count of [500, sockets]) {
        const args = generatorArgs(generator, [tracker.port, 0, count, 1000, 1, recorded])
        const crowd = new Program({ name: 'ws', command: 'taskset', args })
        await until(() => crowd.found((line) => line === 'ready'), {
          within: 60_000,
          what: `the crowd is in: ${crowd.output()}`,
        })
        grown.push(await tracker.resident())
        await crowd.end('SIGKILL')
      }
      return Math.round(((grown[1] ?? 0) - (grown[0] ?? 0)) / (sockets - 500))
    } finally {
      await tracker.stop()
    }
  }
  const ours = await perPeer('eldernode')
  const stock = await perPeer('stock')
  console.log(`ws peers: eldernode ${ours} bytes each, stock ${stock}`)
  return ours
}
