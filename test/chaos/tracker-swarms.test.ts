import { expect, test } from 'vitest'
import { Announce, Answer, happened, kinds, Swarms } from '../../apps/tracker/src/swarm/index.ts'

const million = 1_000_000
let now = 0

const swarmsOf = (swarms: number, peers: number): Swarms =>
  new Swarms({
    limits: { swarms, peers, peersPerSwarm: 100_000 },
    ttl: { address: 1350, socket: 330 },
    now: () => now,
    random: Math.random,
    secret: () => 0.5,
  })

const word = new Announce()
const answer = new Answer()
word.port = 6881
word.wanted = 50

const parts = 20

/** Milliseconds that a twentieth of so many steps takes at best: others have the machine as well. */
const best = (steps: number, step: (number: number) => void): number => {
  let least = Infinity
  for (let part = 0; part < parts; part++) {
    const began = performance.now()
    for (let i = 0; i < steps / parts; i++) step((part * steps) / parts + i)
    least = Math.min(least, performance.now() - began)
  }
  return least
}

test('a million swarms of one peer: memory and time are bounded, and all of it is free again', () => {
  now = 0
  const swarms = swarmsOf(million, million)
  word.kind = kinds.ipv4
  word.event = happened.started
  word.left = 1
  const join = (number: number): void => {
    word.infoHash[1] = number
    word.address[0] = number
    swarms.announce(word, answer)
    if (answer.refusal !== '' || answer.incomplete !== 1) throw new Error(`${number}: ${answer.refusal}`)
  }
  const before = process.memoryUsage().rss
  const few = best(100_000, join)
  for (let number = 100_000; number < 900_000; number++) join(number)
  const many = best(100_000, (number) => join(900_000 + number))
  expect((process.memoryUsage().rss - before) / million).toBeLessThan(250)
  expect(many / few).toBeLessThan(6)
  expect(swarms.swarms).toBe(million)

  // The next turn of the hand finds all of them, a bounded number at a time.
  now = 3_000_000
  let most = 0
  for (let isLeft = true; isLeft;) {
    const held = swarms.peers
    isLeft = swarms.expire(5000)
    most = Math.max(most, held - swarms.peers)
  }
  expect([swarms.swarms, swarms.peers]).toEqual([0, 0])
  expect(most).toBeLessThanOrEqual(5000)
  const again = process.memoryUsage().rss
  for (let number = 0; number < 300_000; number++) join(number)
  expect((process.memoryUsage().rss - again) / 300_000, 'what was given back is used again').toBeLessThan(100)
})

test('a swarm of 100,000 peers: who comes, announces, stops or runs out of time waits no longer than in one of 100', () => {
  const timesOf = (peers: number): number[] => {
    now = 0
    const swarms = swarmsOf(1000, 300_000)
    const at = (number: number, event: number, wanted: number): void => {
      word.infoHash[1] = 7
      word.address[0] = number
      word.event = event
      word.left = number % 2
      word.wanted = wanted
      swarms.announce(word, answer)
      if (answer.refusal !== '') throw new Error(answer.refusal)
    }
    for (let number = 0; number < peers; number++) at(number, happened.started, 0)
    const announces = best(30_000, (number) => at(number % peers, happened.update, 50))
    expect(answer.count).toBe(50)
    const turns = best(30_000, (number) => {
      at(number % peers, happened.stopped, 0)
      at(number % peers, happened.started, 0)
    })
    now = 3_000_000
    const began = performance.now()
    while (swarms.expire(5000));
    expect(swarms.peers).toBe(0)
    return [announces, turns, (performance.now() - began) / peers]
  }
  timesOf(100)
  const [small, large] = [timesOf(100), timesOf(100_000)]
  // `bench tracker` holds announces to 1.5 on a quiet machine; here it is to be no matter of the size at all.
  expect((large[0] ?? 0) / (small[0] ?? 0), 'announces').toBeLessThan(4)
  expect((large[1] ?? 0) / (small[1] ?? 0), 'stops and starts').toBeLessThan(6)
  expect(large[2], 'milliseconds for each that expires').toBeLessThan(0.1)
})
