import { expect, test } from 'vitest'
import { FairQueue } from './queue.ts'

const all = () => Infinity
const order = (queue: FairQueue): string[] => {
  const taken: string[] = []
  for (let next = queue.take(() => 0, all); next; next = queue.take(() => 0, all)) taken.push(next.id)
  return taken
}

test('owners take turns, each in its own order', () => {
  const queue = new FairQueue()
  for (const id of ['a1', 'a2', 'a3', 'b1', 'a4', 'c1', 'b2']) queue.add({ id, owner: id[0] ?? '' })
  expect([queue.size, queue.sizeOf('a'), queue.sizeOf('x')]).toEqual([7, 4, 0])
  expect(order(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  expect(queue.size).toBe(0)
})

test('who has the fewest running goes first', () => {
  const queue = new FairQueue()
  for (const id of ['a1', 'b1', 'c1']) queue.add({ id, owner: id[0] ?? '' })
  const running = (owner: string) => ({ a: 2, b: 1, c: 2 })[owner] ?? 0
  expect(queue.take(running, () => 1)).toBeUndefined()
  expect(queue.take(running, (owner) => (owner === 'b' ? 1 : 3))).toEqual({ id: 'a1', owner: 'a' })
  expect(queue.take(running, all)).toEqual({ id: 'b1', owner: 'b' })
})

test('what is taken out comes no more, and what is added twice comes once', () => {
  const queue = new FairQueue()
  for (const id of ['a1', 'a1', 'a2']) queue.add({ id, owner: 'a' })
  expect([queue.delete({ id: 'a1', owner: 'a' }), queue.delete({ id: 'a1', owner: 'a' })]).toEqual([true, false])
  expect(order(queue)).toEqual(['a2'])
})
