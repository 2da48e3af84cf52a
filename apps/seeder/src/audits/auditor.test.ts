import {
  type Accepted,
  auditKey,
  Auditors,
  type AuditResult,
  type Holdings,
  type NodeId,
  packTags,
  tagOf,
  WebIdentity,
} from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { Auditor, type Neighbour } from './auditor.ts'
import type { Task } from './bucket-audit.ts'
import type { Outcome } from './outcome.ts'

const start = 1_800_000_000_000
const hour = 3_600_000
const passed: Outcome = { what: 'passed', ms: 1 }
let ids: NodeId[]
let self: NodeId

/** What the network said, to one node. */
class Said {
  readonly holdings = new Map<string, Holdings>()
  readonly results = new Map<string, AuditResult>()
  readonly published: string[] = []
  revoked: NodeId[] = []
  inStep = true
  /** Milliseconds by which the clock was set on. */
  set = 0
  live: Neighbour[] = []
  /** Asked for, and not answered. */
  readonly asked: { holder: NodeId; task: Task; answer: (outcome: Outcome) => void }[] = []
  #watch = (_value: Accepted<Holdings>): void => undefined

  say(pub: NodeId, bucket: string, held: string[], releasing: string[] = []): void {
    this.holdings.set(`${pub} ${bucket}`, { held, releasing, refused: [] })
    this.#watch({ pub, soul: `en1/n/h/${pub}/${bucket}` } as Accepted<Holdings>)
  }

  begin(): Auditor {
    const graph = {
      admits: (pub: NodeId) => !this.revoked.includes(pub),
      members: () => ids.filter((id) => !this.revoked.includes(id)),
      get: (kind: string, pub: NodeId, key: string) => ({
        body: kind === 'h' ? this.holdings.get(`${pub} ${key}`) : this.results.get(key),
      }),
      entries: (kind: string) =>
        kind === 'a'
          ? [...this.results.keys()].map((key) => ({ key }))
          : [...this.holdings.keys()].map((name) => ({ pub: name.slice(0, 43), soul: name })),
      watch: (_kind: string, listener: (value: Accepted<Holdings>) => void) => {
        this.#watch = listener
        return () => undefined
      },
      publish: (_kind: string, key: string, result: AuditResult) => {
        this.results.set(key, result)
        this.published.push(key)
        return Promise.resolve()
      },
    }
    return new Auditor({
      self,
      graph: graph as never,
      members: () => this.live,
      inStep: () => this.inStep,
      audit: (holder, task, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('ended')))
          this.asked.push({ holder, task, answer: resolve })
        }),
      told: () => undefined,
      now: () => Date.now() + this.set,
      clock: () => performance.now(),
      random: () => 0.5,
      log: pino({ level: 'silent' }),
    })
  }

  async answerAll(outcome: (holder: NodeId, task: Task) => Outcome = () => passed): Promise<number> {
    let answered = 0
    while (this.asked.length > 0) {
      for (const { holder, task, answer } of this.asked.splice(0)) {
        answer(outcome(holder, task))
        answered++
      }
      await vi.advanceTimersByTimeAsync(0)
    }
    return answered
  }
}

let said: Said
let auditor: Auditor

beforeAll(async () => {
  ids = await Promise.all(Array.from({ length: 6 }, async () => (await WebIdentity.generate()).id))
  self = ids[0]!
})

beforeEach(() => {
  vi.useFakeTimers({ now: start })
  said = new Said()
  said.live = ids.map((id) => ({ id, suspected: false }))
  auditor = said.begin()
})

afterEach(async () => {
  await auditor.close()
  vi.useRealTimers()
})

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const hash = (bucket: string, n: number) => bucket + n.toString(16).padStart(14, '0').padEnd(38, '0')
/** Two hex digits of a bucket of `holder` whose auditors are, or are not, this node. */
function bucketOf(holder: NodeId, mine: boolean, among: readonly NodeId[] = ids): string {
  const auditors = new Auditors()
  auditors.set(among)
  for (let number = 0; number < 256; number++) {
    const bucket = number.toString(16).padStart(2, '0')
    if (auditors.of(holder, bucket).includes(self) === mine) return bucket
  }
  throw new Error('there is no such bucket')
}

test('the holdings of a bucket that this node is charged with are asked for at once, and told of soon', async () => {
  const holder = ids[1]!
  const [mine, others] = [bucketOf(holder, true), bucketOf(holder, false)]
  said.say(holder, mine, [hash(mine, 1)])
  await auditor.start()
  await later(1000)
  said.say(holder, others, [hash(others, 1)])
  said.say(holder, `x/${mine}`, [hash(mine, 2)])
  await later(0)
  expect(said.asked.map(({ task }) => task.infoHash)).toEqual([hash(mine, 1), hash(mine, 2)])
  expect(auditor.buckets).toBe(1)
  expect(await said.answerAll()).toBe(2)
  await later(200)
  expect([...said.results]).toEqual([
    [
      auditKey(holder, mine),
      { passedAt: start + 1000, proven: packTags([1, 2].map((n) => tagOf(hash(mine, n)))), failed: [] },
    ],
  ])
})

test('nothing is asked for before the links are in step, nor of this node itself, nor of one that is no member', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.inStep = false
  said.say(holder, mine, [hash(mine, 1)])
  for (let n = 0; n < 256; n++) said.say(self, n.toString(16).padStart(2, '0'), [hash(mine, n)])
  await auditor.start()
  await later(5000)
  expect(said.asked).toEqual([])
  said.revoked = [holder]
  said.inStep = true
  await later(1000)
  expect(said.asked).toEqual([])
  said.revoked = []
  await later(1000)
  expect(said.asked).toHaveLength(1)
})

test('a holder that is not heard from is not asked; one that comes back is, at once', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.live = said.live.filter(({ id }) => id !== holder)
  said.say(holder, mine, [hash(mine, 1)])
  await auditor.start()
  await later(3000)
  expect(said.asked).toEqual([])
  said.live.push({ id: holder, suspected: false })
  await later(1000)
  expect(said.asked).toHaveLength(1)
})

test('when auditors fall silent the next nearest takes over; at a start none is taken for silent', async () => {
  const holder = ids[1]!
  const two = [self, ids[2]!]
  const mine = bucketOf(holder, false)
  said.live = [...two, holder].map((id) => ({ id, suspected: false }))
  said.say(holder, mine, [hash(mine, 1)])
  await auditor.start()
  await later(29_000)
  expect(said.asked).toEqual([])
  await later(3000)
  expect(said.asked).toHaveLength(1)
  await said.answerAll()
  // Those who were charged before come back: what was said stays said, and is not said again.
  said.live = ids.map((id) => ({ id, suspected: false }))
  await later(2000)
  expect(auditor.buckets).toBe(0)
  await later(20 * hour)
  expect(said.asked).toEqual([])
})

test('what was published in an earlier run is known in this one', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.say(holder, mine, [hash(mine, 1), hash(mine, 2), hash(mine, 3)])
  said.results.set(auditKey(holder, mine), {
    passedAt: start - hour,
    proven: packTags([tagOf(hash(mine, 1))]),
    failed: [{ tag: tagOf(hash(mine, 2)), piece: 9, since: start - hour }],
  })
  await auditor.start()
  await later(1000)
  expect(said.asked.map(({ task }) => task).toSorted((a, b) => (a.infoHash < b.infoHash ? -1 : 1))).toEqual([
    { infoHash: hash(mine, 2), piece: 9 },
    { infoHash: hash(mine, 3) },
  ])
})

test('one that claims and holds nothing is told of by everything it fails, and asked no more than four at a time', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.say(
    holder,
    mine,
    Array.from({ length: 20 }, (_, n) => hash(mine, n)),
  )
  await auditor.start()
  await later(1000)
  expect([said.asked.length, auditor.running]).toEqual([4, 4])
  expect(await said.answerAll(() => ({ what: 'failed', piece: 3, reason: 'it answered 404' }))).toBe(20)
  await later(200)
  expect(said.results.get(auditKey(holder, mine))).toMatchObject({ passedAt: 0, proven: '' })
  expect(said.results.get(auditKey(holder, mine))?.failed).toHaveLength(20)
  // The next question is for the same piece.
  await later(17_000)
  expect(said.asked[0]?.task.piece).toBe(3)
})

test('a silent holder holds up no other, and is asked less and less often', async () => {
  const [silent, other] = [ids[1]!, ids[2]!]
  for (const holder of [silent, other]) {
    const mine = bucketOf(holder, true)
    said.say(
      holder,
      mine,
      Array.from({ length: 20 }, (_, n) => hash(mine, n)),
    )
  }
  await auditor.start()
  await later(1000)
  const count = { [silent]: 0, [other]: 0 }
  const outcome = (holder: NodeId): Outcome => {
    count[holder]!++
    return holder === silent ? { what: 'silent', reason: 'nobody is there' } : passed
  }
  await said.answerAll(outcome)
  expect(count[other]).toBe(20)
  expect(count[silent]).toBeLessThan(5)
  for (let second = 0; second < 60; second++) {
    await later(1000)
    await said.answerAll(outcome)
  }
  expect(count[silent]).toBeLessThan(30)
  expect(said.results.has(auditKey(silent, bucketOf(silent, true)))).toBe(false)
})

test('a clock that is set back by a month stops no audit, and nothing is said to have passed in the time to come', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.say(holder, mine, [hash(mine, 1)])
  await auditor.start()
  await later(1000)
  await said.answerAll()
  said.set = -30 * 24 * hour
  said.say(holder, mine, [hash(mine, 1), hash(mine, 2)])
  await later(1000)
  expect(said.asked.map(({ task }) => task.infoHash)).toEqual([hash(mine, 2)])
  await said.answerAll()
  await later(20_000)
  expect(said.results.get(auditKey(holder, mine))?.passedAt).toBe(start + 1000 + said.set)
  await later(20 * hour)
  expect(said.asked).toHaveLength(1)
})

test('closing ends what is under way, and asks for nothing more', async () => {
  const holder = ids[1]!
  const mine = bucketOf(holder, true)
  said.say(holder, mine, [hash(mine, 1)])
  await auditor.start()
  await later(1000)
  expect(auditor.running).toBe(1)
  await auditor.close()
  expect(auditor.running).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})
