import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { Expiry } from './expiry.ts'
import { fakeTime, hold, library } from './testing/keeping.ts'

const log = pino({ level: 'silent' })
const hour = 3_600_000

let expiry: Expiry
let knowsTime = true
afterEach(() => expiry.close())

function begin(expire: (infoHash: string) => void = () => {}): string[] {
  const expired: string[] = []
  expiry = new Expiry({
    library,
    expire: async (infoHash) => {
      expired.push(infoHash)
      expire(infoHash)
      library.retract(infoHash, 0)
    },
    now: () => Date.now(),
    knowsTime: () => knowsTime,
    log,
  })
  return expired
}

async function holdUntil(name: string, expiresAt: number): Promise<string> {
  const { infoHash } = await hold(name)
  library.about.set(infoHash, { expiresAt })
  return infoHash
}

test('items go when their time has come, in its order, and others stay', async () => {
  const start = Date.now()
  const [later, soon] = [await holdUntil('later', start + 2 * hour), await holdUntil('soon', start + hour)]
  await hold('for ever')
  fakeTime()
  vi.setSystemTime(start)
  const expired = begin()
  expiry.look()
  await vi.advanceTimersByTimeAsync(hour - 1)
  expect(expired).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(expired).toEqual([soon])
  await vi.advanceTimersByTimeAsync(hour)
  expect(expired).toEqual([soon, later])
  expect(expiry.expired).toBe(2)
})

test('more than one page of them, and what expired while the node was down, goes at once', async () => {
  const hashes = await Promise.all(Array.from({ length: 205 }, (_, n) => holdUntil(`item ${n}`, 1000 + (n % 3))))
  const expired = begin()
  expiry.look()
  await vi.waitFor(() => expect(expired).toHaveLength(205))
  expect(new Set(expired)).toEqual(new Set(hashes))
})

test('one that cannot be taken down keeps no other from it, and is tried again', async () => {
  const [bad, good] = [await holdUntil('bad', 1), await holdUntil('good', 2)]
  fakeTime()
  let broken = true
  const expired = begin((infoHash) => {
    if (infoHash === bad && broken) throw new Error('the graph is closed')
  })
  expiry.look()
  await vi.advanceTimersByTimeAsync(0)
  expect(expired).toEqual([bad, good])
  broken = false
  await vi.advanceTimersByTimeAsync(30_000)
  expect(expired).toEqual([bad, good, bad])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(expired).toHaveLength(3)
})

test('a clock that may be wrong takes nothing down', async () => {
  const infoHash = await holdUntil('by a wrong clock', Date.now() + hour)
  fakeTime()
  vi.setSystemTime(Date.now() + 2 * hour)
  knowsTime = false
  const expired = begin()
  expiry.look()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(expired).toEqual([])
  knowsTime = true
  await vi.advanceTimersByTimeAsync(15_000)
  expect(expired).toEqual([infoHash])
})

test('a time that is learned later counts as well', async () => {
  const { infoHash } = await hold('learned')
  fakeTime()
  const expired = begin()
  expiry.look()
  library.about.set(infoHash, { expiresAt: Date.now() + 10_000 })
  await vi.advanceTimersByTimeAsync(30_000)
  expect(expired).toEqual([infoHash])
})
