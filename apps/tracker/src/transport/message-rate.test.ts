import { expect, it } from 'vitest'
import { MessageRate, type Talker } from './message-rate.ts'

class Speaking implements Talker {
  allowed = 0
  counted = 0
  isHeld = false

  pause(): void {
    this.isHeld = true
  }

  resume(): void {
    this.isHeld = false
  }
}

const enter = (rate: MessageRate): Speaking => {
  const one = new Speaking()
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

it('has what came together with the last one paid for by waiting', () => {
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
