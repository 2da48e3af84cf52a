import { expect, test } from 'vitest'
import {
  graphOf,
  hash,
  hold,
  library,
  manifest,
  offered,
  other,
  reconciler,
  self,
  third,
  withdrawn,
} from '../testing/reconciling.ts'

// `self` holds the key of the network's owner in these tests' networks.
const lose = async ({ id } = other): Promise<void> => {
  const certificate = { member: id, roles: [], successor: third.id }
  await graphOf(self).publish('p', id, { ...certificate, operator: '', issuedAt: 1, expiresAt: 2 ** 42 })
}

async function look(): Promise<void> {
  for (const { id } of [other, third]) reconciler.touch(id, hash(1))
  await reconciler.idle()
}

test("a held item is its publisher's successor's as soon as that one has spoken of it", async () => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await look()
  await lose()
  await look()
  expect(library.get(hash(1))?.publisher).toBe(other.id)
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { tags: ['new'] }))
  await look()
  expect(library.get(hash(1))).toMatchObject({ publisher: third.id, state: 'live', about: { tags: ['new'] } })
  expect(offered.at(-1)).toBe(hash(1))
})

test("a successor's retraction ends an item whose lost publisher's manifest stands; no stranger's does", async () => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  await look()
  expect(library.get(hash(1))?.state).toBe('live')
  await lose()
  await look()
  expect(withdrawn).toEqual([hash(1)])
  expect(library.get(hash(1))?.state).toBe('retracted')
})

test('a node whose own key was lost, and which comes back, takes nothing of its items upon itself again', async () => {
  await hold(hash(1), self.id)
  const { ts } = await graphOf(self).publish('m', hash(1), manifest(hash(1)))
  await lose(self)
  reconciler.touchAll()
  await look()
  expect(library.get(hash(1))?.publisher).toBe(self.id)
  await graphOf(third).publish('m', hash(1), manifest(hash(1)))
  await look()
  expect(library.get(hash(1))).toMatchObject({ publisher: third.id, state: 'live' })
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  await look()
  expect(library.get(hash(1))?.state).toBe('retracted')
  expect(graphOf(self).get('m', self.id, hash(1))?.ts).toBe(ts)
})

test('what a revoked key published stands, and is held as before', async () => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const certificate = { member: other.id, roles: [], operator: '', issuedAt: 1, expiresAt: 2 ** 42 }
  await graphOf(self).publish('p', other.id, certificate)
  await look()
  expect(library.get(hash(1))).toMatchObject({ publisher: other.id, state: 'live' })
  expect([offered.at(-1), withdrawn]).toEqual([hash(1), []])
})
