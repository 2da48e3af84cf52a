import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { Places } from './places.ts'

const sockets = (count: number) => Array.from({ length: count }, () => new PassThrough())

test('the one that was idle for longest gives way; who is busy stays', () => {
  const places = new Places(3)
  const [a, b, c, d, e] = sockets(5) as [PassThrough, PassThrough, PassThrough, PassThrough, PassThrough]
  for (const socket of [a, b, c]) places.take(socket)
  places.busy(a)
  places.busy(b)
  places.idle(b)
  places.take(d)
  expect([a, b, c, d].map(({ destroyed }) => destroyed)).toEqual([false, false, true, false])
  places.take(e)
  expect([a, b, d, e].map(({ destroyed }) => destroyed)).toEqual([false, true, false, false])
  expect(places.taken).toBe(3)
})

test('when everybody is busy, the new one is turned away', () => {
  const places = new Places(2)
  const [a, b, c] = sockets(3) as [PassThrough, PassThrough, PassThrough]
  for (const socket of [a, b]) {
    places.take(socket)
    places.busy(socket)
  }
  places.take(c)
  expect([a, b, c].map(({ destroyed }) => destroyed)).toEqual([false, false, true])
})

test('one that closes by itself leaves its place', async () => {
  const places = new Places(1)
  const [a, b] = sockets(2) as [PassThrough, PassThrough]
  places.take(a)
  const closed = new Promise((resolve) => a.once('close', resolve))
  a.destroy()
  await closed
  expect(places.taken).toBe(0)
  places.take(b)
  places.idle(a)
  places.take(new PassThrough())
  expect([b.destroyed, places.taken]).toEqual([true, 1])
})
