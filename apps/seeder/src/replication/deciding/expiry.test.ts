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
  started,
  third,
  withdrawn,
} from '../testing/reconciling.ts'

const expiring = (expiresAt: number) => manifest(hash(1), { expiresAt })

async function decide(): Promise<void> {
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
}

test('a copy is taken down when it expires, though its publisher is away and says nothing', async () => {
  const expiresAt = Date.now() + 1000
  await graphOf(other).publish('m', hash(1), expiring(expiresAt))
  await hold(hash(1), other.id)
  await decide()
  expect(offered).toEqual([hash(1)])
  given.clock = () => expiresAt
  await decide()
  expect(withdrawn).toEqual([hash(1)])
  expect(library.get(hash(1))).toMatchObject({ state: 'retracted', purgeAfter: expiresAt + day })
  expect(publications.published(hash(1))).toBeUndefined()
})

test('what has expired is not fetched', async () => {
  await graphOf(other).publish('m', hash(1), expiring(Date.now() - 1))
  await decide()
  expect(started).toEqual([])
})

test('of two publishers the one whose manifest lasts longer keeps the item', async () => {
  await graphOf(other).publish('m', hash(1), expiring(Date.now() - 1))
  await graphOf(third).publish('m', hash(1), manifest(hash(1)))
  await hold(hash(1), other.id)
  reconciler.touch(third.id, hash(1))
  await decide()
  expect(library.get(hash(1))?.state).toBe('live')
  expect(withdrawn).toEqual([])
})

test('a publisher that gives it more time brings a copy back', async () => {
  await graphOf(other).publish('m', hash(1), expiring(Date.now() - 1))
  await hold(hash(1), other.id)
  await decide()
  expect(library.get(hash(1))?.state).toBe('retracted')
  await graphOf(other).publish('m', hash(1), expiring(Date.now() + day))
  await decide()
  expect(library.get(hash(1))?.state).toBe('live')
})
