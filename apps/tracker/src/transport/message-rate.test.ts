import { expect, it } from 'vitest'
import { type Host, kinds } from '../swarm/index.ts'
import { MessageRate, type Talker } from './message-rate.ts'

class Speaking implements Talker {
  allowed = 0
  counted = 0
  share: Talker['share']
  isHeld = false
  readonly from: Host

  constructor(high: number) {
    this.from = { kind: kinds.ipv4, high, low: 0, isMember: false }
  }

  pause(): void {
    this.isHeld = true
  }

  resume(): void {
    this.isHeld = false
  }
}

const enter = (rate: MessageRate, address = 1): Speaking => {
  const one = new Speaking(address)
  rate.begin(one)
  return one
}

/** How many messages one may send until it has to wait. */
const flood = (rate: MessageRate, one: Speaking): number => {
  let count = 0
  while (!one.isHeld && count < 1000) {
    rate.heard(one)
    count++
  }
  return count
}

it('lets everybody say ten seconds of its rate at once, and no more than its rate from then on', () => {
  const rate = new MessageRate({ messagesPerSocket: 5 })
  const [loud, quiet] = [enter(rate), enter(rate)]
  expect(flood(rate, loud)).toBe(50)
  for (let second = 0; second < 5; second++) {
    rate.tick()
    expect(flood(rate, loud)).toBe(5)
  }
  expect(quiet.isHeld).toBe(false)
  for (let second = 0; second < 100; second++) rate.tick()
  expect(flood(rate, loud)).toBe(50)
})

it('has what is heard after the last one paid for by waiting', () => {
  const rate = new MessageRate({ messagesPerSocket: 5 })
  const one = enter(rate)
  for (let i = 0; i < 62; i++) rate.heard(one)
  const held: boolean[] = []
  for (let second = 0; second < 4; second++) {
    rate.tick()
    held.push(one.isHeld)
  }
  expect(held).toEqual([true, true, false, false])
})

it('holds nobody without a limit, lets go of all when there is none any more, and forgets who leaves', () => {
  const limits = { messagesPerSocket: 0 }
  const rate = new MessageRate(limits)
  const [free, held, gone] = [enter(rate), enter(rate), enter(rate)]
  expect(flood(rate, free)).toBe(1000)
  limits.messagesPerSocket = 1
  rate.tick()
  flood(rate, held)
  flood(rate, gone)
  rate.leave(gone)
  limits.messagesPerSocket = 0
  rate.tick()
  expect([held.isHeld, gone.isHeld]).toEqual([false, true])
})

it('has many connections of one address say as much as ten together, and others and quiet ones do not wait', () => {
  const rate = new MessageRate({ messagesPerSocket: 10 })
  const quiet = enter(rate)
  const other = enter(rate, 2)
  const crowd = Array.from({ length: 200 }, () => enter(rate))
  const heard = (): number => crowd.reduce((sum, one) => sum + (one.isHeld ? 0 : flood(rate, one)), 0)
  // What the first ones of them could begin with was all there is.
  expect(heard()).toBeLessThanOrEqual(1000)
  let sum = 0
  for (let second = 0; second < 60; second++) {
    rate.tick()
    sum += heard()
    if (second % 10 === 0) rate.heard(quiet)
    expect(quiet.isHeld).toBe(false)
  }
  expect(sum).toBeGreaterThan(5000)
  expect(sum).toBeLessThanOrEqual(6000)
  expect(flood(rate, other)).toBe(100)
  for (const one of crowd.slice(20)) rate.leave(one)
  for (let second = 0; second < 60; second++) rate.tick()
  expect(flood(rate, crowd[0] as Speaking)).toBeGreaterThan(45)
})

it('has nobody say more by leaving and coming again', () => {
  const rate = new MessageRate({ messagesPerSocket: 10 })
  const again = (seconds: number): number => {
    let sum = 0
    for (let times = 0; times < 100 * seconds; times++) {
      const one = enter(rate)
      sum += flood(rate, one)
      rate.leave(one)
      if (times % 100 === 99) rate.tick()
    }
    return sum
  }
  expect(again(1)).toBeLessThanOrEqual(1000)
  expect(again(20)).toBeLessThanOrEqual(20 * 100)
  for (let second = 0; second < 11; second++) rate.tick()
  expect(again(1)).toBeGreaterThan(900)
})
