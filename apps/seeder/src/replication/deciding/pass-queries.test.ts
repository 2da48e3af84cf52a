import { NetworkView, Presence, Releases, Unproven, HolderIndex, type Heartbeat } from '@eldernode/core'
import { expect, test } from 'vitest'
import { Levels } from '../health/levels.ts'
import { build, graphOf, hash, hold, library, manifest, self } from '../testing/reconciling.ts'
import { Duties } from './duties.ts'
import { Publications } from './publications.ts'

const clock = (): number => Date.now()
const heartbeat: Heartbeat = {
  endpoints: { http: 'http://node.example' },
  zone: '',
  operator: '',
  state: 'active',
  capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 39 },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '0',
}

/** Notes which methods are called. */
function counted<T extends object>(of: T, calls: string[]): T {
  return new Proxy(of, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...about: unknown[]): unknown => {
        calls.push(String(name))
        return Reflect.apply(value, target, about)
      }
    },
  })
}

/** Publishes and holds so many items more. */
async function more(from: number, to: number): Promise<string[]> {
  const hashes = Array.from({ length: to - from }, (_, n) => hash(from + n))
  for (const infoHash of hashes) {
    await hold(infoHash, self.id)
    await graphOf(self).publish('m', infoHash, manifest(infoHash, { replicas: { min: 1, target: 1 } }))
  }
  return hashes
}

test('a pass over healthy items asks neither the catalog nor the graph about any of them', async () => {
  const calls: string[] = []
  const graph = counted(graphOf(self), calls)
  const publications = new Publications({ self: self.id, graph, now: clock })
  const presence = new Presence({ self: self.id, graceMs: 600_000, now: clock, clock })
  presence.see({ pub: self.id, ts: clock(), body: heartbeat })
  const unproven = new Unproven(clock)
  const levels = new Levels(clock, () => {})
  const healthy = new Set<string>()
  const nothing = (): never => expect.unreachable('nothing is to be done about a healthy item')
  const duties = new Duties({
    publications,
    view: new NetworkView({
      self: self.id,
      presence,
      index: new HolderIndex(),
      proofs: { proofOf: () => 'proven' },
      unproven,
      own: (infoHash) => (healthy.has(infoHash) ? 'held' : undefined),
      isPinned: () => false,
      now: clock,
    }),
    unproven,
    releases: new Releases(),
    levels,
    transfers: { add: nothing, has: () => false, rank: nothing, runs: () => false, sweep: () => {} },
    inStep: () => true,
    mayFetch: nothing,
    review: () => {},
    cancel: nothing,
    mark: nothing,
    unmark: nothing,
    release: nothing,
    isBad: () => false,
    drop: nothing,
    clock,
  })
  const reconciler = build({
    graph,
    library: counted(library, calls),
    publications,
    duties,
    serving: {
      offer: () => Promise.resolve(),
      offerInPart: nothing,
      suspend: nothing,
      withdraw: nothing,
      forget: nothing,
      offers: (infoHash) => healthy.has(infoHash),
      offered: () => [...healthy].toSorted(),
    },
  })
  const passes: string[][] = []
  for (const [from, to] of [
    [0, 20],
    [20, 60],
  ] as const) {
    for (const infoHash of await more(from, to)) {
      healthy.add(infoHash)
      reconciler.touch(self.id, infoHash)
    }
    reconciler.touchAll()
    await reconciler.idle()
    calls.length = 0
    reconciler.touchAll()
    await reconciler.idle()
    expect(levels.totals().levels['at-target'].items).toBe(to)
    passes.push([...calls])
  }
  await reconciler.close()
  expect(passes[1]).toEqual(passes[0])
  expect(passes[0]!.length).toBeLessThan(10)
})
