import { expect, test } from 'vitest'
import {
  day,
  given,
  graphOf,
  hash,
  hold,
  library,
  manifest,
  offered,
  other,
  publications,
  reconciler,
  retractions,
  self,
  third,
  transfers,
  withdrawn,
} from '../testing/reconciling.ts'

test('a retraction ends serving and fetching, and the bytes wait for their purge', async () => {
  await hold(hash(1), other.id)
  for (const n of [1, 2]) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  reconciler.touch(other.id, hash(2))
  await reconciler.idle()
  const purgeAfter = Date.now() + 5 * day
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted', purgeAfter }))
  await graphOf(other).publish('m', hash(2), manifest(hash(2), { state: 'retracted' }))
  for (const n of [1, 2]) reconciler.touch(other.id, hash(n))
  await reconciler.idle()
  expect(withdrawn).toEqual([hash(1)])
  expect(library.get(hash(1))).toMatchObject({ state: 'retracted', purgeAfter })
  expect(transfers.has(hash(2))).toBe(false)
  expect(retractions).toBe(1)
})

test('an item of two publishers stays until the last one retracts it', async () => {
  await hold(hash(1), other.id)
  for (const publisher of [other, third]) await graphOf(publisher).publish('m', hash(1), manifest(hash(1)))
  reconciler.touchAll()
  await reconciler.idle()
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(withdrawn).toEqual([])
  expect(library.get(hash(1))?.state).toBe('live')
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(third.id, hash(1))
  await reconciler.idle()
  expect(withdrawn).toEqual([hash(1)])
})

test('a retraction that was undone brings a replica back', async () => {
  await hold(hash(1), other.id)
  library.retract(hash(1), Date.now() + day)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.state).toBe('live')
  expect(offered).toEqual([hash(1)])
})

test('an own item published again before the first pass stays, though its retraction was seen in between', async () => {
  await hold(hash(1), self.id)
  await graphOf(self).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  library.retract(hash(1), Date.now() + day)
  library.restore(hash(1))
  reconciler.touch(self.id, hash(1))
  await reconciler.idle()
  await graphOf(self).publish('m', hash(1), manifest(hash(1)))
  reconciler.touchAll()
  await reconciler.idle()
  expect(graphOf(self).get('m', self.id, hash(1))?.body.state).toBe('live')
  expect(library.get(hash(1))?.state).toBe('live')
  expect(offered).toContain(hash(1))
})

test('of two publishers this node counts too, before any pass has told so', async () => {
  await hold(hash(1), other.id)
  await graphOf(self).publish('m', hash(1), manifest(hash(1)))
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(publications.published(hash(1))).toBeDefined()
  expect(library.get(hash(1))?.state).toBe('live')
})

test.each([
  ['is missing', undefined, day],
  ['lies before the retraction', -60_000, day],
  ['is 0', -Infinity, day],
  ['is the retraction itself', 0, 0],
  ['lies a little ahead', 60_000, 60_000],
  ['lies a year ahead', 365 * day, 30 * day],
  ['is the greatest number', Infinity, 30 * day],
])('a purgeAfter that %s', async (_, said, kept) => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const now = Date.now() + 1_000
  given.clock = () => now
  const purgeAfter = said === undefined ? undefined : Math.min(Math.max(0, now + said), 2 ** 53 - 1)
  const retraction = manifest(hash(1), { state: 'retracted', ...(purgeAfter !== undefined && { purgeAfter }) })
  await graphOf(other).publish('m', hash(1), retraction)
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.purgeAfter).toBe(now + kept)
})
