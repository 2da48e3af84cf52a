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

// `self` holds the key of the network's owner in these tests' networks.
const deny = (infoHash: string, purgeAfter?: number) =>
  graphOf(self).publish('d', infoHash, { infoHash, state: 'denied', ...(purgeAfter !== undefined && { purgeAfter }) })
const lift = (infoHash: string) => graphOf(self).publish('d', infoHash, { infoHash, state: 'lifted' })

test("a denial ends serving and fetching whoever published, this node's own items too", async () => {
  await hold(hash(1), other.id)
  await hold(hash(2), self.id)
  for (const n of [1, 3]) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  await graphOf(third).publish('m', hash(1), manifest(hash(1)))
  await graphOf(self).publish('m', hash(2), manifest(hash(2)))
  reconciler.touchAll()
  await reconciler.idle()
  expect(transfers.has(hash(3))).toBe(true)
  const purgeAfter = Date.now() + 5 * day
  for (const n of [1, 2, 3]) {
    await deny(hash(n), purgeAfter)
    reconciler.touchItem(hash(n))
  }
  await reconciler.idle()
  expect([...new Set(withdrawn)].toSorted()).toEqual([hash(1), hash(2)].toSorted())
  for (const n of [1, 2]) expect(library.get(hash(n))).toMatchObject({ state: 'retracted', purgeAfter })
  expect(transfers.has(hash(3))).toBe(false)
  expect(publications.published(hash(1))).toBeUndefined()
  expect(retractions).toBe(2)
})

test('what is denied is not fetched, nor announced after a crash', async () => {
  await deny(hash(1))
  await deny(hash(2))
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await hold(hash(2), self.id)
  reconciler.touchAll()
  await reconciler.idle()
  expect(transfers.has(hash(1))).toBe(false)
  expect(graphOf(self).get('m', self.id, hash(2))).toBeUndefined()
  expect(offered).toEqual([])
})

test('a denial that is lifted in time brings the item back', async () => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await deny(hash(1))
  reconciler.touchAll()
  await reconciler.idle()
  expect(library.get(hash(1))?.state).toBe('retracted')
  await lift(hash(1))
  reconciler.touchItem(hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.state).toBe('live')
  expect(offered.at(-1)).toBe(hash(1))
  expect(publications.published(hash(1))).toBeDefined()
})

test('a retraction stays when a denial is lifted', async () => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  await deny(hash(1))
  await lift(hash(1))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.state).toBe('retracted')
})

test('what a publisher says of an item later reaches its replicas; of own items the catalog knows better', async () => {
  given.wanted = true
  await hold(hash(1), other.id)
  await hold(hash(2), self.id)
  const about = { tags: ['jazz'], expiresAt: 9_000_000_000_000, media: { title: 'So What' } }
  await graphOf(other).publish('m', hash(1), manifest(hash(1), about))
  await graphOf(self).publish('m', hash(2), manifest(hash(2), about))
  for (const [publisher, n] of [
    [other, 1],
    [third, 1],
    [self, 2],
  ] as const) {
    reconciler.touch(publisher.id, hash(n))
  }
  await reconciler.idle()
  expect(library.get(hash(1))?.about).toEqual(about)
  expect(library.get(hash(2))?.about).toEqual({})
})
