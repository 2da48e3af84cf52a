import { expect, test } from 'vitest'
import { Places } from './places.ts'

function setUp(maxConnections: number, maxNegotiating: number) {
  const clock = { time: 0 }
  const places = new Places({ maxConnections, maxNegotiating, now: () => clock.time })
  const evicted: string[] = []
  const take = (name: string, tracker = 'one') => {
    const guest = { evicted: () => evicted.push(name) }
    return { guest, taken: places.take(guest, tracker) }
  }
  return { clock, places, evicted, take }
}

test('there are so many places and no more, and those being made are fewer', () => {
  const { places, take } = setUp(3, 2)
  const first = take('a')
  expect([first.taken, take('b').taken, take('c').taken]).toEqual([true, true, false])
  places.settle(first.guest)
  expect(places).toMatchObject({ size: 2, negotiating: 1 })
  expect(take('c').taken).toBe(true)
  places.settle(first.guest)
  expect(take('d').taken).toBe(false)
  places.leave(first.guest)
  places.leave(first.guest)
  expect(places).toMatchObject({ size: 2, negotiating: 2 })
})

test('who does not get done in time makes room', () => {
  const { clock, evicted, take } = setUp(10, 2)
  take('a')
  take('b')
  clock.time = 4_999
  expect(take('c').taken).toBe(false)
  clock.time = 5_000
  expect(take('d').taken).toBe(true)
  expect(take('e').taken).toBe(true)
  expect(take('f').taken).toBe(false)
  expect(evicted).toEqual(['a', 'b'])
})

test('a tracker that fills all places leaves the others their share', () => {
  const { evicted, take } = setUp(10, 4)
  for (const name of ['a', 'b', 'c', 'd']) take(name, 'flooded')
  expect(take('x', 'other').taken).toBe(true)
  expect(take('y', 'other').taken).toBe(true)
  expect(take('z', 'other').taken).toBe(false)
  expect(take('e', 'flooded').taken).toBe(false)
  expect(evicted).toEqual(['a', 'b'])
})

test('when connections are made of all places nobody is evicted', () => {
  const { places, evicted, take } = setUp(2, 2)
  for (const name of ['a', 'b']) places.settle(take(name).guest)
  expect(take('c', 'other').taken).toBe(false)
  expect(evicted).toEqual([])
})

test('lower limits hold at once: those that wait for an answer leave first, then those being made, the newest first', () => {
  const { places, evicted, take } = setUp(12, 6)
  for (const name of ['a', 'b', 'c']) places.settle(take(name).guest)
  for (const name of ['d', 'e', 'f']) take(name)
  for (const name of ['g', 'h']) places.offer({ evicted: () => evicted.push(name) })
  expect(places).toMatchObject({ size: 8, negotiating: 3, open: 3 })
  places.limit({ maxConnections: 12, maxNegotiating: 2 })
  expect(evicted).toEqual(['f'])
  places.limit({ maxConnections: 5, maxNegotiating: 2 })
  expect(evicted).toEqual(['f', 'g', 'h'])
  places.limit({ maxConnections: 2, maxNegotiating: 2 })
  expect(evicted.slice(3).toSorted()).toEqual(['c', 'd', 'e'])
  expect(places).toMatchObject({ size: 2, negotiating: 0, open: 2, full: true })
})

test('offers of this node wait long, count among all, and take a quarter at most', () => {
  const { clock, places, take } = setUp(8, 2)
  const [first, second, third] = [{ evicted: () => {} }, { evicted: () => {} }, { evicted: () => {} }]
  expect([places.offer(first), places.offer(second), places.offer(third)]).toEqual([true, true, false])
  expect(places).toMatchObject({ size: 2, negotiating: 0 })
  clock.time = 60_000
  expect([take('a').taken, take('b').taken, take('c').taken]).toEqual([true, true, false])
  places.settle(first)
  expect(places.offer(third)).toBe(true)
})
