import { expect, it } from 'vitest'
import { OpenOffers } from './open-offers.ts'

it('gives each offer once, to whoever knows its key', () => {
  const offers = new OpenOffers()
  for (let i = 0; i < 10; i++) offers.add(2 ** 52 + i, i)
  for (const i of [9, 0, 5, 8]) {
    expect(offers.take(2 ** 52 + i)).toBe(i)
    expect(offers.take(2 ** 52 + i)).toBe(-1)
  }
  offers.add(7, 70)
  expect([offers.take(7), offers.take(2 ** 52 + 3), offers.take(1)]).toEqual([70, 3, -1])
})

it('forgets the oldest of too many, and none before those that were taken', () => {
  const offers = new OpenOffers()
  for (let i = 0; i < 1024; i++) offers.add(i, i)
  for (let i = 10; i < 1020; i++) offers.take(i)
  for (let i = 2000; i < 3000; i++) offers.add(i, i)
  expect([offers.take(0), offers.take(2999)]).toEqual([0, 2999])
  for (let i = 3000; i < 5000; i++) offers.add(i, i)
  expect([offers.take(1), offers.take(2500), offers.take(4999), offers.take(4600)]).toEqual([-1, -1, 4999, 4600])
})

it('forgets what was not answered in a whole turn', () => {
  const offers = new OpenOffers()
  offers.add(1, 10)
  offers.add(2, 20)
  expect(offers.forget()).toBe(true)
  offers.take(1)
  offers.add(3, 30)
  expect(offers.forget()).toBe(true)
  expect([offers.take(2), offers.take(3)]).toEqual([-1, 30])
  expect(offers.forget()).toBe(false)
})
