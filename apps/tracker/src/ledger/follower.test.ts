import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import {
  type Ban,
  type Change,
  type KeyTotals,
  type Ledger,
  LedgerFollower,
  SqliteLedger,
  ValkeyLedger,
} from './index.ts'
import { LedgerFileError } from './errors.ts'
import { lacksRedis, RedisServer } from './testing/redis-server.ts'

const hash = '1'.repeat(40)

/** Keeps what it hears, as gates and limits do. */
class Listener {
  readonly heard: string[] = []
  waiting: KeyTotals[] = []

  begin(): void {
    this.heard.push('begin')
  }

  complete(): void {
    this.heard.push('complete')
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes)
      this.heard.push(change.kind === 'key' ? `key ${change.id} ${change.isRevoked}` : change.kind)
  }

  takeTotals(most: number): KeyTotals[] {
    return this.waiting.splice(0, most)
  }

  /** What was heard since this was asked last. */
  news(): string[] {
    return this.heard.splice(0)
  }
}

let now: number
let logged: string[]
let reasons: string[]
let server: RedisServer
let folder: string

beforeAll(async () => {
  if (!lacksRedis) server = await RedisServer.start()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-follower-'))
})

afterAll(async () => {
  if (!lacksRedis) await server.close()
  await rm(folder, { recursive: true, force: true })
})

beforeEach(() => {
  now = 0
  logged = []
  reasons = []
})

const log = pino(
  { level: 'info' },
  {
    write: (line: string) => {
      const { msg, reason = '' } = JSON.parse(line) as { msg: string; reason?: string }
      logged.push(msg)
      reasons.push(reason)
    },
  },
)

const follow = (ledger: Ledger, listener = new Listener(), made: Ban[] = []) => {
  const follower = new LedgerFollower({
    ledger,
    sinks: [listener],
    totals: [listener],
    bans: [{ takeBans: (most) => made.splice(0, most) }],
    log,
    now: () => now,
    clock: () => now,
  })
  return { follower, listener }
}

it('hears everything at first, changes later, and takes totals to the ledger', async () => {
  const ledger = new SqliteLedger(join(folder, 'one.db'), Date.now)
  onTestFinished(() => ledger.close())
  const { id } = await ledger.create('a')
  const { follower, listener } = follow(ledger)
  expect(follower.isReady).toBe(false)
  await follower.turn()
  expect(follower.isReady).toBe(true)
  expect(listener.news()).toEqual(['begin', 'key 1 false', 'complete'])
  await ledger.revoke(id)
  await ledger.setListed('denied', [hash], true)
  listener.waiting = Array.from({ length: 2500 }, () => ({ id, uploaded: 2, downloaded: 1 }))
  await follower.turn()
  expect(listener.news()).toEqual(['key 1 true', 'denied'])
  expect(await ledger.find(id)).toMatchObject({ uploaded: 0 })
  now += 5000
  await follower.turn()
  expect(listener.news()).toEqual([])
  expect(await ledger.find(id)).toMatchObject({ uploaded: 5000, downloaded: 2500 })
  listener.waiting = [{ id, uploaded: 1, downloaded: 0 }]
  await follower.stop()
  expect(await ledger.find(id)).toMatchObject({ uploaded: 5001 })
})

it('tells a ban again that the ledger may have missed, but none that is over', async () => {
  const ledger = new SqliteLedger(join(folder, 'bans.db'), () => now)
  onTestFinished(() => ledger.close())
  const made = [
    { network: '9.9.9.9', until: 60_000 },
    { network: '9.9.9.8', until: 8000 },
  ]
  const { follower } = follow(ledger, undefined, made)
  vi.spyOn(ledger, 'ban').mockRejectedValueOnce(new Error('it is away'))
  await follower.turn()
  expect(follower.failures).toBe(1)
  expect((await ledger.bans({ limit: 9 })).items).toEqual([])
  made.push({ network: '9.9.9.7', until: 60_000 })
  now += 8000
  await follower.turn()
  expect((await ledger.bans({ limit: 9 })).items.map(({ network }) => network)).toEqual(['9.9.9.7', '9.9.9.9'])
})

it('is away while nothing can be written, though it can be read', async () => {
  const ledger = new SqliteLedger(join(folder, 'full.db'), Date.now)
  onTestFinished(() => ledger.close())
  const { id } = await ledger.create('a')
  const { follower, listener } = follow(ledger)
  await follower.turn()
  const added = vi.spyOn(ledger, 'addTotals').mockRejectedValue(new Error('database or disk is full'))
  listener.waiting = [{ id, uploaded: 7, downloaded: 0 }]
  for (let second = 1; second <= 12; second++) {
    now = second * 1000
    await follower.turn()
  }
  expect(logged).toEqual(['the ledger is away: what it said last holds until it is back'])
  expect(follower.silence).toBe(8)
  await ledger.revoke(id)
  await follower.turn()
  expect(listener.news().at(-1)).toBe('key 1 true')
  added.mockRestore()
  now = 15_000
  await follower.turn()
  expect(logged.at(-1)).toBe('the ledger is back')
  expect(follower.silence).toBe(0)
})

it('says nothing of a ledger that was never opened', async () => {
  const ledger = new SqliteLedger(folder, Date.now)
  onTestFinished(() => ledger.close())
  const { follower } = follow(ledger)
  await expect(ledger.open()).rejects.toThrow(LedgerFileError)
  await follower.stop()
  expect(logged).toEqual([])
})

it('hears everything anew after a week of silence', async () => {
  const ledger = new SqliteLedger(join(folder, 'two.db'), Date.now)
  onTestFinished(() => ledger.close())
  await ledger.create('a')
  const { follower, listener } = follow(ledger)
  await follower.turn()
  now += 7 * 86_400_000 + 1
  listener.news()
  await follower.turn()
  expect(listener.news()).toEqual(['begin', 'key 1 false', 'complete'])
})

it.skipIf(lacksRedis)('survives a Valkey that goes away and comes back, and counts every byte once', async () => {
  const ledger = new ValkeyLedger(server.url, Date.now)
  const { follower, listener } = follow(ledger)
  onTestFinished(() => ledger.close())
  await ledger.open()
  const { id } = await ledger.create('a')
  await follower.turn()
  await server.kill()
  listener.news()
  now += 5000
  listener.waiting = [{ id, uploaded: 7, downloaded: 0 }]
  for (let time = 0; time < 3; time++) await follower.turn()
  expect([follower.failures, listener.waiting.length, listener.news()]).toEqual([3, 1, []])
  expect(follower.silence).toBe(5)
  expect(logged).toEqual(['the ledger is away: what it said last holds until it is back'])
  await server.restart()
  while (follower.silence > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await follower.turn()
  }
  expect(logged.at(1)).toBe('the ledger is back')
  expect(await ledger.find(id)).toMatchObject({ uploaded: 7 })
})

it('tells a batch again whose answer was lost, and it counts once', async () => {
  const ledger = new SqliteLedger(join(folder, 'three.db'), Date.now)
  onTestFinished(() => ledger.close())
  const { id } = await ledger.create('a')
  let lost = 2
  const { follower, listener } = follow(
    Object.assign(Object.create(ledger) as Ledger, {
      changesSince: ledger.changesSince.bind(ledger),
      addTotals: async (batch: Parameters<Ledger['addTotals']>[0]) => {
        await ledger.addTotals(batch)
        if (lost-- > 0) throw new Error('the answer is lost')
      },
    }),
  )
  listener.waiting = [{ id, uploaded: 7, downloaded: 0 }]
  for (let time = 0; time < 4; time++) {
    now += 5000
    await follower.turn()
  }
  listener.waiting = [{ id, uploaded: 1, downloaded: 0 }]
  now += 5000
  await follower.turn()
  expect(await ledger.find(id)).toMatchObject({ uploaded: 8 })
})

it('says what is lost when it stops without a ledger, in time', async () => {
  const ledger = new ValkeyLedger('redis://127.0.0.1:9', Date.now)
  onTestFinished(() => ledger.close())
  const { follower, listener } = follow(ledger)
  await ledger.open()
  await follower.start()
  expect(follower.isReady).toBe(false)
  expect(reasons.at(0)).toMatch(/^The ledger at 127\.0\.0\.1:9 cannot be used now \(.*ECONNREFUSED.*\): mend that/)
  listener.waiting = [{ id: 1, uploaded: 7, downloaded: 0 }]
  await follower.stop()
  expect(logged.at(-1)).toBe('the ledger is away: what peers gave and took lately is lost')
  expect(reasons.at(-1)).toContain('127.0.0.1:9')
})

it.skipIf(lacksRedis)('is not held up by a Valkey that takes connections and answers nothing', async () => {
  const ledger = new ValkeyLedger(server.url, Date.now, 500)
  const { follower } = follow(ledger)
  onTestFinished(() => ledger.close())
  await ledger.open()
  server.pause()
  const began = performance.now()
  await follower.turn()
  expect(performance.now() - began).toBeLessThan(4000)
  expect(follower.failures).toBe(1)
  server.resume()
  await ledger.open()
  await follower.turn()
  expect(follower.isReady).toBe(true)
})
