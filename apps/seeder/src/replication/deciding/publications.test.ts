import { expect, test } from 'vitest'
import { given, graphOf, hash, manifest, other, publications, self, third } from '../testing/reconciling.ts'
import { Publications } from './publications.ts'

const replicas = (min: number, target: number) => ({ replicas: { min, target } })
/** What is yielded while all manifests are read. */
const load = (): string[] => [...publications.load()].filter((infoHash) => infoHash !== undefined)

test('what the graph says before the start is asked for from then on, and what was taken down is told', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { ...replicas(2, 4), size: 9, createdAt: 7 }))
  await graphOf(other).publish('m', hash(2), manifest(hash(2), { state: 'retracted' }))
  await graphOf(other).publish('m', hash(3), manifest(hash(3)))
  await graphOf(self).publish('d', hash(3), { infoHash: hash(3), state: 'denied' })
  expect(load().toSorted()).toEqual([hash(2), hash(3)].toSorted())
  expect([...publications.demands]).toEqual([
    { infoHash: hash(1), size: 9, publishers: [other.id], min: 2, target: 4, since: 7, reached: false },
  ])
  expect(publications.published(hash(1))).toMatchObject({ publisher: other.id, signer: other.id })
  expect([hash(2), hash(3)].map((infoHash) => publications.published(infoHash))).toEqual([undefined, undefined])
})

test('of two publishers the greater numbers count, and the item is asked for until the last one retracts', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { ...replicas(1, 4), createdAt: 5 }))
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { ...replicas(2, 3), createdAt: 3 }))
  load()
  expect(publications.demands.get(hash(1))).toMatchObject({ min: 2, target: 4, since: 3 })
  expect([...publications.demands.get(hash(1))!.publishers].toSorted()).toEqual([other.id, third.id].toSorted())
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  expect(publications.refresh(hash(1))).toBe(true)
  expect(publications.refresh(hash(1))).toBe(false)
  expect(publications.demands.get(hash(1))).toMatchObject({ publishers: [third.id], min: 2, target: 3 })
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  publications.refresh(hash(1))
  expect(publications.demands.get(hash(1))).toBeUndefined()
})

test('what came while the manifests were read is not overtaken by what was read before', async () => {
  const graph = graphOf(self)
  const other1 = await graph.publish('m', hash(1), manifest(hash(1)))
  const old = await graph.publish('m', hash(2), manifest(hash(2)))
  const slow = new Publications({
    self: self.id,
    now: Date.now,
    graph: {
      get: (kind, pub, key) => graph.get(kind, pub, key),
      speakerOf: (pub) => graph.speakerOf(pub),
      watch: (kind, listener) => graph.watch(kind, listener),
      entries: (kind) => (kind === 'm' ? [other1 as never, old as never] : []),
    },
  })
  const steps = slow.load()
  steps.next()
  await graph.publish('m', hash(2), manifest(hash(2), { state: 'retracted' }))
  for (let step = steps.next(); step.done !== true; step = steps.next());
  expect([...slow.demands].map(({ infoHash }) => infoHash)).toEqual([hash(1)])
})

test('once all manifests were read, only who signed one of an item is asked for what it says of it', async () => {
  const graph = graphOf(self)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const asked: string[] = []
  const counting = new Publications({
    self: self.id,
    now: Date.now,
    graph: {
      get: (kind, pub, key) => {
        if (kind === 'm') asked.push(pub)
        return graph.get(kind, pub, key)
      },
      speakerOf: (pub) => graph.speakerOf(pub),
      watch: (kind, listener) => graph.watch(kind, listener),
      entries: (kind) => graph.entries(kind),
    },
  })
  for (let n = 0; n < 1000; n++) counting.learn(`member ${n}`)
  for (const _ of counting.load());
  asked.length = 0
  expect(counting.of(hash(1)).map(({ signer }) => signer)).toEqual([other.id])
  expect([asked, counting.of(hash(2)), counting.of('no infohash')]).toEqual([[other.id], [], []])
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  counting.learn(third.id, hash(1))
  counting.learn(third.id, hash(1))
  counting.learn(other.id, hash(1))
  expect(counting.of(hash(1)).map(({ signer }) => signer)).toEqual([other.id, third.id])
})

test('an item whose manifest expires is told when its time has come, once', async () => {
  const expiresAt = Date.now() + 1000
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { expiresAt }))
  load()
  expect([publications.demands.size, [...publications.expired()]]).toEqual([1, []])
  given.clock = () => expiresAt
  expect([...publications.expired()]).toEqual([hash(1)])
  publications.refresh(hash(1))
  expect([publications.demands.size, [...publications.expired()]]).toEqual([0, []])
})

test('a denial ends what is asked for, and its end brings it back', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  load()
  await graphOf(self).publish('d', hash(1), { infoHash: hash(1), state: 'denied' })
  publications.refresh(hash(1))
  expect(publications.demands.size).toBe(0)
  await graphOf(self).publish('d', hash(1), { infoHash: hash(1), state: 'lifted' })
  publications.refresh(hash(1))
  expect(publications.demands.size).toBe(1)
})
