import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ItemLimits, SwarmLimits } from '../port.ts'
import { defaultLimits } from '../limits.ts'
import { Credit, passageOf, Rates, type Turn } from './index.ts'

const block = 16_384
const [first, second] = ['aa'.repeat(20), 'bb'.repeat(20)]
let own: Record<string, ItemLimits>
let rates: Rates

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  own = {}
  rates = new Rates(
    () => performance.now(),
    (infoHash) => own[infoHash] ?? {},
  )
})
afterEach(() => vi.useRealTimers())

const limit = (limits: Partial<SwarmLimits>): void => rates.limit({ ...defaultLimits, ...limits })

/** A peer that takes blocks as fast as it may. */
class Peer {
  bytes = 0
  readonly turn: Turn
  readonly #size: number

  constructor(infoHash = first, size = block) {
    this.#size = size
    this.turn = rates.upload.turn(infoHash, () => this.#moved())
  }

  start(): this {
    if (this.turn.take(this.#size)) this.#moved()
    return this
  }

  #moved(): void {
    this.bytes += this.#size
    this.start()
  }
}

async function seconds(count: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(count * 1000)
}

test.each([20_000, 1_000_000, 50_000_000])('%i bytes per second pass, and not more', async (rate) => {
  limit({ uploadLimit: rate })
  const peer = new Peer().start()
  await seconds(10)
  expect(peer.bytes).toBeGreaterThan(rate * 10 * 0.97 - block)
  expect(peer.bytes).toBeLessThan(rate * 10 * 1.03 + block)
})

test('peers take turns, whatever the size of what they ask for', async () => {
  limit({ uploadLimit: 1_000_000 })
  const peers = Array.from({ length: 20 }, () => new Peer().start())
  const greedy = new Peer(second, 2 * block).start()
  await seconds(10)
  const shares = peers.map(({ bytes }) => bytes)
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(block)
  expect(greedy.bytes).toBeLessThanOrEqual(2 * Math.max(...shares))
  expect(shares.reduce((sum, bytes) => sum + bytes, greedy.bytes)).toBeGreaterThan(9_700_000)
})

test('an item at its own limit holds nobody else up', async () => {
  own[first] = { uploadLimit: 50_000 }
  limit({ uploadLimit: 1_000_000 })
  const slow = new Peer(first).start()
  const fast = new Peer(second).start()
  await seconds(10)
  expect(slow.bytes).toBeGreaterThan(450_000)
  expect(slow.bytes).toBeLessThan(550_000)
  expect(fast.bytes).toBeGreaterThan(9_000_000)
  expect(fast.bytes + slow.bytes).toBeLessThan(10_300_000)
})

test('an item’s own limit goes before the one of every item, none of its own included', async () => {
  own[first] = { uploadLimit: 0 }
  limit({ itemUploadLimit: 100_000, uploadLimit: 400_000 })
  const [free, usual] = [new Peer(first).start(), new Peer(second).start()]
  await seconds(10)
  expect(usual.bytes).toBeGreaterThan(900_000)
  expect(usual.bytes).toBeLessThan(1_100_000)
  expect(free.bytes).toBeGreaterThan(2_500_000)
  own[first] = { uploadLimit: 20_000 }
  rates.limitItem(first)
  const before = free.bytes
  await seconds(10)
  expect(free.bytes - before).toBeLessThan(230_000)
})

test('a change holds for those who wait already', async () => {
  limit({ uploadLimit: 1_000 })
  const peer = new Peer().start()
  await seconds(1)
  expect(peer.bytes).toBeLessThanOrEqual(block)
  limit({ uploadLimit: 1_000_000 })
  await seconds(1)
  expect(peer.bytes).toBeGreaterThan(900_000)
  limit({ uploadLimit: 100_000 })
  const before = peer.bytes
  await seconds(1)
  expect(peer.bytes - before).toBeLessThan(150_000)
})

test('no limit lets everything pass at once, those who wait too', async () => {
  limit({ uploadLimit: 1 })
  const turn = rates.upload.turn(first, () => passed++)
  let passed = 0
  await seconds(1)
  expect(turn.take(block)).toBe(true)
  expect(turn.take(block)).toBe(false)
  limit({})
  expect(passed).toBe(1)
  expect(turn.most).toBe(Infinity)
  expect(turn.take(block)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('whoever leaves gives its place up, and a late timer moves nobody', async () => {
  limit({ uploadLimit: 10_000 })
  const gone = new Peer().start()
  const next = new Peer().start()
  await seconds(1)
  expect([gone.bytes, next.bytes]).toEqual([block, 0])
  gone.turn.end()
  next.turn.end()
  await seconds(60)
  expect([gone.bytes, next.bytes]).toEqual([block, 0])
})

test('connecting anew for each block leads around no item’s limit', async () => {
  limit({ itemUploadLimit: 20_000 })
  let bytes = 0
  for (let ms = 0; ms < 10_000; ms += 10) {
    const peer = new Peer().start()
    await vi.advanceTimersByTimeAsync(10)
    bytes += peer.bytes
    peer.turn.end()
  }
  expect(bytes).toBeLessThan(230_000)
  await seconds(10)
  expect(vi.getTimerCount()).toBe(0)
})

test('what was not used goes to the next', async () => {
  limit({ uploadLimit: 20_000 })
  await seconds(1)
  const idle = rates.upload.turn(first, () => {})
  expect(idle.take(block)).toBe(true)
  const peer = new Peer().start()
  expect(peer.bytes).toBe(0)
  idle.giveBack(block)
  await vi.advanceTimersByTimeAsync(2)
  expect(peer.bytes).toBe(block)
})

test('credit is taken in parts of a 64th of a second, in blocks at least', async () => {
  let told = 0
  const credit = new Credit(
    (go) => rates.upload.turn(first, go),
    () => told++,
  )
  expect(credit.have(block, 100 * block)).toBe(Infinity)
  limit({ uploadLimit: 64 * 40_000 })
  await seconds(1)
  expect(credit.have(block, 100 * block)).toBe(40_000)
  credit.use(40_000)
  expect(credit.have(block, block)).toBe(block)
  credit.use(block)
  limit({ uploadLimit: 1_000 })
  expect(credit.have(block, 100 * block)).toBe(block)
  credit.use(block)
  expect(credit.have(block, block)).toBe(0)
  expect(credit.have(block, block)).toBe(0)
  await seconds(17)
  expect(told).toBe(1)
  expect(credit.have(block, block)).toBe(block)
})

test('a passage resolves in its turn, and at its end', async () => {
  limit({ uploadLimit: 10_000 })
  await seconds(1)
  const passage = passageOf((go) => rates.upload.turn(first, go))
  expect(passage.pass(10_000)).toBeUndefined()
  let passed = 0
  void passage.pass(10_000)?.then(() => passed++)
  await vi.advanceTimersByTimeAsync(700)
  expect(passed).toBe(0)
  await vi.advanceTimersByTimeAsync(100)
  expect(passed).toBe(1)
  void passage.pass(10_000)?.then(() => passed++)
  passage.end()
  await vi.advanceTimersByTimeAsync(0)
  expect(passed).toBe(2)
})

test('a rate that is lowered by far holds within a second, for who waits and who comes', async () => {
  limit({ uploadLimit: 200_000_000 })
  const before = new Peer(first, 524_288).start()
  await seconds(1)
  before.turn.end()
  const waits = new Peer().start()
  while (waits.turn.take(block));
  limit({ uploadLimit: 50_000 })
  const comes = new Peer(second).start()
  const [start, came] = [waits.bytes, comes.bytes]
  await seconds(1.5)
  expect(waits.bytes + comes.bytes - start - came).toBeGreaterThanOrEqual(block)
  await seconds(20)
  expect(waits.bytes + comes.bytes - start - came).toBeLessThan(21.5 * 50_000 * 1.05 + 2 * block)
})
