import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { Services } from '../services.ts'
import { observeHealth } from './health-metrics.ts'

const mebibytes = 2 ** 20
const nothing = { items: 0, bytes: 0 }
const levels = { lost: nothing, 'below-min': nothing, 'below-target': nothing, 'at-target': nothing, surplus: nothing }

type Listener = Parameters<Services['standing']['onLevel']>[0]

/** What is told of a network that stands as it is said to. */
function observed() {
  const registry = new Registry()
  const stands: { oldestProof?: number; left?: number } = {}
  let listener: Listener = () => undefined
  const standing: Pick<Services['standing'], 'totals' | 'draining' | 'onLevel'> = {
    totals: () => ({
      ...nothing,
      at: 1,
      levels,
      ...(stands.oldestProof !== undefined && { oldestProof: stands.oldestProof }),
    }),
    draining: () => {
      const left = { items: 1, bytes: stands.left ?? 0 }
      return stands.left === undefined ? undefined : { since: 1, held: left, left, stuck: nothing, done: false }
    },
    onLevel: (told) => {
      listener = told
      return () => undefined
    },
  }
  const services = { registry, standing, alarms: () => [], now: () => 1_000_000 } as unknown as Services
  const times = observeHealth(services)
  const lines = async (name: string): Promise<string[]> =>
    (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => !line.startsWith('#'))
  return { stands, times, lines, level: ((change) => listener(change)) as Listener }
}

test('the age of the oldest proof is absent while nobody claims anything, and grows beyond a day', async () => {
  const { stands, lines } = observed()
  const name = 'eldernode_replication_oldest_proof_seconds'
  expect(await lines(name)).toEqual([])
  stands.oldestProof = 1_000_000 - 200_000_000
  expect(await lines(name)).toEqual([`${name} 200000`])
  delete stands.oldestProof
  expect(await lines(name)).toEqual([])
})

test('what is left to drain is told in steps, and nothing when the node does not drain', async () => {
  const { stands, lines } = observed()
  expect(await lines('eldernode_drain_left_bytes')).toEqual(['eldernode_drain_left_bytes 0'])
  stands.left = 33 * mebibytes
  expect(await lines('eldernode_drain_left_bytes')).toEqual([`eldernode_drain_left_bytes ${48 * mebibytes}`])
})

test('how long an item was below its target is told by whether it ever met it', async () => {
  const { times, lines, level } = observed()
  const change = (
    infoHash: string,
    before: 'lost' | 'at-target' | undefined,
    after: 'lost' | 'at-target',
    at: number,
  ) => level({ infoHash, size: 1, before, after, at })
  change('a', undefined, 'lost', 0)
  change('a', 'lost', 'at-target', 4_000)
  change('a', 'at-target', 'lost', 10_000)
  change('a', 'lost', 'at-target', 80_000)
  const told = await lines('eldernode_replication_seconds')
  expect(told).toEqual(
    expect.arrayContaining([
      'eldernode_replication_seconds_sum{kind="new"} 4',
      'eldernode_replication_seconds_count{kind="new"} 1',
      'eldernode_replication_seconds_bucket{le="60",kind="repair"} 0',
      'eldernode_replication_seconds_bucket{le="300",kind="repair"} 1',
      'eldernode_replication_seconds_sum{kind="repair"} 70',
    ]),
  )
  expect(times.sums()).toEqual({ count: 1, lastSeconds: 70, meanSeconds: 70 })
})
