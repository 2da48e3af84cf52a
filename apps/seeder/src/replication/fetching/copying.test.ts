import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Item, JobStore } from '../../library/index.ts'
import type { SwarmLimits } from '../../swarm/index.ts'
import { Workbench, type MadeTorrent } from '../../swarm/testing/workbench.ts'
import { ContentMismatchError } from '../errors.ts'
import { Copying } from './copying.ts'

const rate = 200_000
const size = 2_000_000
let bench: Workbench

const jobs: JobStore = {
  all: () => [],
  put: () => {},
  delete: () => {},
  flush: () => {},
  drainingSince: () => undefined,
  setDraining: () => {},
}

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
  const copying: Copying = new Copying({
    repair: { graceMs: 1, rate, concurrent: 1 },
    folder: bench.folder,
    library: { get: () => undefined, jobs },
    swarm: leecher,
    fetch: async ({ infoHash }, came, signal) => {
      const request = await bench.request(
        [...made.values()].find((one) => one.infoHash === infoHash)!,
        {
          peers: [`127.0.0.1:${seeder.port}`],
          onProgress: (bytes) => {
            came(bytes - (received.get(infoHash) ?? 0))
            received.set(infoHash, bytes)
          },
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

test.each([
  ['and is stored', false],
  ['and turns out to be wrong', true],
])('small items, each of which comes at once %s, take repair.rate together', async (_what, fails) => {
  vi.useFakeTimers()
  const begun: string[] = []
  const copying = new Copying({
    repair: { graceMs: 1, rate, concurrent: 2 },
    folder: bench.folder,
    library: { get: () => undefined, jobs },
    swarm: { limitItem: () => {}, limits: () => ({ itemDownloadLimit: 0 }) as SwarmLimits },
    fetch: async ({ infoHash }, came) => {
      begun.push(infoHash)
      came(rate / 10)
      if (fails) throw new ContentMismatchError('wrong bytes')
      return { infoHash, size: rate / 10 } as Item
    },
    settled: () => {},
    drained: () => {},
    decline: () => {},
    cramped: () => {},
    mended: () => 0,
    freed: () => {},
    log: pino({ level: 'silent' }),
    now: () => Date.now(),
    random: Math.random,
  })
  const rank = { urgent: false, rarity: 0, since: 0, size: rate / 10 }
  for (let n = 0; n < 40; n++) {
    const lane = n < 5 ? 'new' : 'repair'
    copying.transfers.add({ infoHash: `${lane} ${n}`, publisher: 'somebody' }, true, { ...rank, lane })
  }
  await vi.advanceTimersByTimeAsync(2_000)
  const repairs = begun.filter((infoHash) => infoHash.startsWith('repair'))
  expect(begun).toHaveLength(repairs.length + 5)
  // As many bytes as pass in two seconds, and what is being paid for.
  expect(repairs.length).toBeGreaterThanOrEqual(18)
  expect(repairs.length).toBeLessThanOrEqual(22)
  await copying.transfers.close()
  vi.useRealTimers()
})
