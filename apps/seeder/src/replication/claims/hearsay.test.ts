import { expect, test } from 'vitest'
import { NoSourceError } from '../errors.ts'
import { Transfers } from '../fetching/transfers.ts'
import { Hearsay } from './hearsay.ts'

const hash = (n: number): string => n.toString(16).padStart(40, '0')

test('one member that comes back does not hold up the node, however much waits', async () => {
  const transfers = new Transfers({
    run: ({ infoHash }) => Promise.reject(new NoSourceError(infoHash)),
    failed: () => undefined,
    settled: () => undefined,
    drained: () => undefined,
    concurrency: 8,
    maxQueued: 20_000,
    now: Date.now,
    random: () => 1,
  })
  const hearsay = new Hearsay({
    index: { stateOf: (id) => (id === 'holder' ? 'held' : undefined) },
    transfers,
    mending: transfers,
  })
  const began = performance.now()
  for (let n = 0; n < 10_000; n++) transfers.add({ infoHash: hash(n), publisher: 'p' })
  expect(performance.now() - began).toBeLessThan(2000)
  while (transfers.failures['no_source'] !== 10_000) await new Promise(setImmediate)
  const heard = performance.now()
  hearsay.welcome('holder')
  hearsay.claimed(
    'holder',
    Array.from({ length: 10_000 }, (_, n) => hash(n)),
  )
  expect(performance.now() - heard).toBeLessThan(2000)
  await transfers.close()
})
