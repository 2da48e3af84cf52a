import { expect, test, vi } from 'vitest'
import {
  build,
  given,
  graphOf,
  hash,
  hold,
  library,
  manifest,
  offered,
  other,
  reconciler,
  self,
  started,
  transfers,
  withdrawn,
} from '../testing/reconciling.ts'

test('an item that is wanted and missing is fetched', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(started).toEqual([hash(1)])
})

test('an item that placement wants elsewhere is not fetched, and one being fetched is given up', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  given.wanted = false
  reconciler.touchAll()
  await reconciler.idle()
  expect(transfers.has(hash(1))).toBe(false)
})

test('nothing is fetched while the gate is closed; the first pass after it opens catches up', async () => {
  given.mayFetch = false
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(started).toEqual([])
  given.mayFetch = true
  reconciler.touchAll()
  await reconciler.idle()
  expect(started).toEqual([hash(1)])
})

test('a held item is offered, whether the graph knows it or not', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  for (const n of [1, 2]) {
    await hold(hash(n), other.id)
    reconciler.touch(other.id, hash(n))
  }
  await reconciler.idle()
  expect(offered).toEqual([hash(1), hash(2)])
})

test('an own item whose manifest is missing is published, but not before the links are in step', async () => {
  await hold(hash(1), self.id)
  reconciler.touch(self.id, hash(1))
  await reconciler.idle()
  expect(offered).toEqual([hash(1)])
  expect(graphOf(self).get('m', self.id, hash(1))).toBeUndefined()
  reconciler.touchAll()
  await reconciler.idle()
  expect(graphOf(self).get('m', self.id, hash(1))?.body.state).toBe('live')
})

test('what is looked at because it changed is told from what a pass looks at', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const asked: unknown[] = []
  const duties = {
    look: (infoHash: string, changed = false) => asked.push([infoHash, changed]),
    *pass() {
      yield void asked.push('pass')
    },
  }
  const one = build({ duties })
  one.touch(other.id, hash(1))
  await one.idle()
  for (let i = 0; i < 2; i++) {
    one.touchAll()
    await one.idle()
  }
  await one.close()
  expect(asked).toEqual([[hash(1), true], 'pass', 'pass'])
})

test.each(['manifests', 'heads'] as const)('a pass whose reading (%s) fails is made again', async (reading) => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await graphOf(self).publish('m', hash(2), manifest(hash(2)))
  await hold(hash(2), self.id)
  const broken = () => {
    throw new Error('disk I/O error')
  }
  const read =
    reading === 'manifests'
      ? vi.spyOn(graphOf(self), 'manifests').mockImplementationOnce(broken)
      : vi.spyOn(library, 'heads').mockImplementationOnce(broken)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const one = build()
  try {
    one.touchAll()
    await one.idle()
    expect([read.mock.results[0]?.type, offered]).toEqual(['throw', []])
    await vi.advanceTimersByTimeAsync(15_000)
    await one.idle()
    expect(offered).toContain(hash(2))
  } finally {
    vi.useRealTimers()
    await one.close()
  }
})

test('what is offered and no longer held is withdrawn by a pass; what came meanwhile is not', async () => {
  await hold(hash(2), other.id)
  const serving = {
    offer: () => Promise.resolve(),
    withdraw: (infoHash: string) => Promise.resolve(void withdrawn.push(infoHash)),
    forget: () => Promise.resolve(),
    offerInPart: () => Promise.resolve(),
    suspend: () => Promise.resolve(),
    offers: () => true,
    offered: () => [hash(1), hash(2)].toSorted(),
  }
  const one = build({ serving, library: { ...library, heads: () => [] } })
  one.start()
  await one.idle()
  await one.close()
  expect(withdrawn).toEqual([hash(1)])
})

test('a retraction that came before the last stop is found at the start, an item in order is not looked at', async () => {
  for (const n of [1, 2]) {
    await hold(hash(n), other.id)
    await graphOf(other).publish('m', hash(n), manifest(hash(n), n === 1 ? { state: 'retracted' } : {}))
  }
  const serving = {
    offer: (infoHash: string) => Promise.resolve(void offered.push(infoHash)),
    withdraw: (infoHash: string) => Promise.resolve(void withdrawn.push(infoHash)),
    forget: () => Promise.resolve(),
    offerInPart: () => Promise.resolve(),
    suspend: () => Promise.resolve(),
    offers: () => true,
    offered: () => [],
  }
  const get = vi.spyOn(graphOf(self), 'get')
  const one = build({ serving, duties: { look: () => undefined, *pass() {} } })
  one.start()
  await one.idle()
  expect([withdrawn, offered]).toEqual([[hash(1)], []])
  expect(library.get(hash(1))?.state).toBe('retracted')
  expect(get.mock.calls.every(([, , key]) => key === hash(1))).toBe(true)
  get.mockClear()
  one.touchAll()
  await one.idle()
  await one.close()
  expect(get.mock.calls.every(([, , key]) => key === hash(1))).toBe(true)
})

test('an item of others that the graph does not know is not published by this node', async () => {
  await hold(hash(1), other.id)
  reconciler.touchAll()
  await reconciler.idle()
  expect([...graphOf(self).entries('m')]).toEqual([])
})

test('without a touch nothing is looked at; a touch looks at one item', async () => {
  for (let n = 0; n < 20; n++) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  const get = vi.spyOn(graphOf(self), 'get')
  await reconciler.idle()
  expect(get).not.toHaveBeenCalled()
  given.wanted = false
  reconciler.touch(other.id, hash(3))
  await reconciler.idle()
  expect(new Set(get.mock.calls.map(([, , infoHash]) => infoHash))).toEqual(new Set([hash(3)]))
})

test('a long pass gives way to the event loop', async () => {
  given.wanted = false
  for (let n = 0; n < 200; n++) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  const slow = build({
    duties: {
      look: () => undefined,
      *pass() {
        for (let n = 0; n < 200; n++) {
          const end = performance.now() + 1
          while (performance.now() < end);
          yield
        }
      },
    },
  })
  let turns = 0
  let done = false
  const count = () => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  slow.touchAll()
  await slow.idle()
  done = true
  await slow.close()
  // 200 ms of work in slices of 8 ms.
  expect(turns).toBeGreaterThan(10)
})

test('one item that fails does not keep the others, and is tried again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let broken = true
  const serving = {
    offer: (infoHash: string) => {
      if (broken && infoHash === hash(1)) return Promise.reject(new Error('the disk is full'))
      return Promise.resolve(void offered.push(infoHash))
    },
    withdraw: () => Promise.resolve(),
    offerInPart: () => Promise.resolve(),
    suspend: () => Promise.resolve(),
    forget: () => Promise.resolve(),
    offers: () => false,
    offered: () => [],
  }
  const one = build({ serving })
  try {
    for (const n of [1, 2]) {
      await hold(hash(n), other.id)
      one.touch(other.id, hash(n))
    }
    await one.idle()
    expect(offered).toEqual([hash(2)])
    broken = false
    await vi.advanceTimersByTimeAsync(15_000)
    await one.idle()
    expect(offered).toContain(hash(1))
  } finally {
    vi.useRealTimers()
    await one.close()
  }
})
