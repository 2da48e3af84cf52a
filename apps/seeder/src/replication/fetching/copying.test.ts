import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Item, JobStore } from '../../library/index.ts'
import { Workbench, type MadeTorrent } from '../../swarm/testing/workbench.ts'
import { Copying } from './copying.ts'

const rate = 200_000
const size = 2_000_000
let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})
afterEach(() => bench.close())

test('a repair keeps to repair.rate in the real swarm, and a first copy beside it takes what it gets', async () => {
  const made = new Map<string, MadeTorrent>()
  for (const name of ['new', 'repair']) made.set(name, await bench.torrent(name, [[name, size]]))
  const seeder = await bench.swarm()
  for (const infoHash of bench.shelf.keys()) seeder.seed(infoHash)
  const leecher = await bench.swarm({ itemLimits: (infoHash) => copying.repairRate.limit(infoHash, {}) })
  const received = new Map<string, number>()
  let settle = (_infoHash: string): void => {}
  const firstSettled = new Promise<string>((resolve) => (settle = resolve))
  const jobs: JobStore = {
    all: () => [],
    put: () => {},
    delete: () => {},
    flush: () => {},
    drainingSince: () => undefined,
    setDraining: () => {},
  }
  const copying: Copying = new Copying({
    repair: { graceMs: 1, rate, concurrent: 1 },
    folder: bench.folder,
    library: { get: () => undefined, jobs },
    swarm: leecher,
    fetch: async ({ infoHash }, signal) => {
      const request = await bench.request(
        [...made.values()].find((one) => one.infoHash === infoHash)!,
        {
          peers: [`127.0.0.1:${seeder.port}`],
          onProgress: (bytes) => void received.set(infoHash, bytes),
          signal,
        },
      )
      await leecher.fetch(request)
      return { infoHash, size } as Item
    },
    settled: (infoHash) => settle(infoHash),
    drained: () => {},
    decline: () => {},
    cramped: () => {},
    mended: () => 0,
    freed: () => {},
    log: pino({ level: 'silent' }),
    now: () => Date.now(),
    random: Math.random,
  })
  bench.onClose(() => copying.transfers.close())
  const rank = { urgent: false, rarity: 0, since: 0, size }
  const [fresh, repaired] = [made.get('new')!.infoHash, made.get('repair')!.infoHash]
  const began = performance.now()
  for (const [infoHash, lane] of [[repaired, 'repair'] as const, [fresh, 'new'] as const]) {
    copying.transfers.add({ infoHash, publisher: 'somebody' }, true, { ...rank, lane })
  }
  expect(await firstSettled).toBe(fresh)
  // Until some of it has come: on a busy machine a connection takes its time.
  while ((received.get(repaired) ?? 0) < rate) await new Promise((resolve) => setTimeout(resolve, 10))
  const seconds = (performance.now() - began) / 1000
  expect(seconds).toBeLessThan(size / rate)
  // At first a quarter of a second's bytes may come at once, and a piece or two are on their way.
  expect(received.get(repaired)).toBeLessThan(rate * (seconds + 0.25) + 4 * 16_384)
  expect([copying.transfers.runs(repaired), copying.stats().fetched]).toEqual([true, 1])
})
