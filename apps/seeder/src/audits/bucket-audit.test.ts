import { auditResultSchema, packTags, tagOf, tagPairs, tagsOf } from '@eldernode/core'
import { beforeEach, expect, test } from 'vitest'
import { BucketAudit } from './bucket-audit.ts'

const hour = 3_600_000
const day = 24 * hour
const hash = (n: number) => `ab${n.toString(16).padStart(38, '0').split('').toReversed().join('')}`
const [a, b, c] = [hash(1), hash(2), hash(3)]
const provenIn = (audit: BucketAudit) => audit.result().proven
const provenTags = (audit: BucketAudit) => tagsOf(tagPairs(provenIn(audit))!)
let now: number
let audit: BucketAudit

beforeEach(() => {
  now = 1_800_000_000_000
  audit = new BucketAudit(undefined, () => 0.5, now)
  audit.charge(true, now)
})

const claim = (held: string[], releasing: string[] = []) => audit.claim({ held, releasing }, now)

/** Passes all that is due. @returns what was asked for */
function passAll(): string[] {
  const asked: string[] = []
  for (let task = audit.next(now); task !== undefined; task = audit.next(now)) {
    asked.push(task.infoHash)
    audit.passed(task.infoHash, now)
  }
  return asked
}

test('each new holding is asked for at once and once, and then said to be proven', () => {
  expect(audit.dueAt).toBe(Infinity)
  claim([a, b])
  expect(audit.dueAt).toBe(now)
  expect(audit.next(now)).toEqual({ infoHash: a })
  expect(audit.next(now)).toEqual({ infoHash: b })
  expect(audit.next(now)).toBeUndefined()
  expect(audit.passed(b, now)).toBe(true)
  expect(audit.result()).toEqual({ passedAt: now, proven: packTags([tagOf(b)]), failed: [] })
  audit.passed(a, now)
  claim([a, b, c])
  expect(passAll()).toEqual([c])
  expect(auditResultSchema.parse(audit.result()).proven).toBe(packTags([a, b, c].map(tagOf)))
})

test('one item of the bucket is asked for daily, before the proof ends, and only if any is proven', () => {
  claim([a, b])
  passAll()
  expect(audit.dueAt).toBe(now + 19 * hour)
  now += 19 * hour
  expect(passAll()).toHaveLength(1)
  expect(audit.result().passedAt).toBe(now)
  expect(audit.dueAt).toBe(now + 19 * hour)
})

function savedAt(passedAt: number): BucketAudit {
  const again = new BucketAudit({ passedAt, proven: packTags([tagOf(a)]), failed: [] }, () => 0.5, now)
  again.charge(true, now)
  again.claim({ held: [a, b], releasing: [] }, now)
  return again
}

test('what was passed by an earlier run is not asked for again until it is time', () => {
  const again = savedAt(now - hour)
  expect([again.next(now), again.next(now)]).toEqual([{ infoHash: b }, undefined])
  again.passed(b, now)
  expect(again.next(now)).toBeUndefined()
  expect(again.result()).toMatchObject({ passedAt: now - hour, proven: packTags([a, b].map(tagOf)) })
})

test.each([-day, 2 * day])('what was passed a day ago or more, or a day ahead, is proven anew: %s', (ms) => {
  const again = savedAt(now + ms)
  expect([again.next(now), again.next(now)]).toEqual([{ infoHash: b }, { infoHash: a }])
  again.passed(b, now)
  expect(provenIn(again)).toBe(packTags([tagOf(b)]))
})

test('new items keep nobody from the daily audit of older ones', () => {
  const held = [a, b, c]
  let checks = 0
  for (let n = 0; n < 30 * 24; n++) {
    if (n % 12 === 0) held.push(hash(n + 10))
    claim(held)
    for (let task = audit.next(now); task !== undefined; task = audit.next(now)) {
      checks += Number(provenTags(audit).includes(tagOf(task.infoHash)))
      audit.passed(task.infoHash, now)
    }
    now += hour
  }
  expect(checks).toBeGreaterThanOrEqual(28)
})

test('a new item renews no proof of the others', () => {
  claim([a, b])
  passAll()
  const passedAt = now
  now += hour
  claim([a, b, c])
  expect(passAll()).toEqual([c])
  expect(audit.result()).toEqual({ passedAt, proven: packTags([a, b, c].map(tagOf)), failed: [] })
  expect(audit.dueAt).toBe(passedAt + 19 * hour)
})

test('who has nothing but what is new cannot choose what it is asked for: the rest ends within a day', () => {
  claim([a, b])
  passAll()
  const ended = now + day
  now = audit.dueAt
  const checked = audit.next(now)?.infoHash ?? ''
  audit.unknown(checked, now)
  // It says for a moment to release what it is asked for.
  claim(
    [a, b].filter((one) => one !== checked),
    [checked],
  )
  expect(audit.next(now + hour)).toBeUndefined()
  for (let n = 10; now < ended; n++, now += 600_000) {
    claim([a, b, hash(n)])
    for (let task = audit.next(now); task !== undefined; task = audit.next(now)) {
      expect(task.infoHash, 'one item alone is checked').toBeOneOf([checked, hash(n)])
      if (task.infoHash === checked) audit.unknown(checked, now)
      else audit.passed(task.infoHash, now)
    }
  }
  claim([a, b, c])
  for (let task = audit.next(now); task !== undefined; task = audit.next(now)) {
    if (task.infoHash === c) audit.passed(c, now)
    else audit.unknown(task.infoHash, now)
  }
  expect(audit.result()).toEqual({ passedAt: now, proven: packTags([tagOf(c)]), failed: [] })
})

test('who takes a claim back and claims anew proves anew; who is about to release an item does not', () => {
  claim([a, b])
  passAll()
  expect(claim([b], [a])).toBe(false)
  expect(claim([a, b])).toBe(false)
  expect(audit.next(now)).toBeUndefined()
  expect(claim([b])).toBe(true)
  expect(provenIn(audit)).toBe(packTags([tagOf(b)]))
  claim([a, b])
  expect(passAll()).toEqual([a])
})

test('a failed piece is asked for again, less and less often, until it is right', () => {
  claim([a])
  audit.next(now)
  expect(audit.failed(a, 7, now)).toBe(true)
  const failed = [{ tag: tagOf(a), piece: 7, since: now }]
  expect(audit.result()).toEqual({ passedAt: 0, proven: '', failed })
  const waits: number[] = []
  for (let i = 0; i < 12; i++) {
    waits.push(audit.dueAt - now)
    expect(audit.next(audit.dueAt - 1)).toBeUndefined()
    now = audit.dueAt
    expect(audit.next(now)).toEqual({ infoHash: a, piece: 7 })
    expect(audit.failed(a, 7, now)).toBe(false)
    expect(audit.result().failed).toEqual(failed)
  }
  expect(waits.slice(0, 3)).toEqual([15_000, 30_000, 60_000])
  expect(waits.at(-1)).toBe(hour)
  now = audit.dueAt
  audit.next(now)
  expect(audit.passed(a, now)).toBe(true)
  expect(audit.result()).toEqual({ passedAt: now, proven: packTags([tagOf(a)]), failed: [] })
})

test('to drop a claim wipes no failure out: claimed anew, the same piece comes first', () => {
  claim([a])
  audit.next(now)
  audit.failed(a, 7, now)
  claim([])
  expect(audit.result().failed).toHaveLength(1)
  expect(audit.next(now + hour)).toBeUndefined()
  claim([a])
  expect(audit.next(now)).toEqual({ infoHash: a, piece: 7 })
  claim([])
  now += 8 * day
  expect(claim([])).toBe(true)
  expect(audit.result().failed).toEqual([])
})

test('an answer that says nothing changes no result, and is asked for again, less and less often', () => {
  claim([a])
  const waits: number[] = []
  for (let i = 0; i < 12; i++) {
    audit.next(now)
    audit.unknown(a, now)
    waits.push(audit.dueAt - now)
    now = audit.dueAt
  }
  expect(waits.slice(0, 3)).toEqual([1000, 2000, 4000])
  expect(waits.at(-1)).toBe(600_000)
  expect(audit.result()).toEqual({ passedAt: 0, proven: '', failed: [] })
  expect(audit.next(now)).toEqual({ infoHash: a })
})

test('a late answer is no proof of a piece that was failed', () => {
  claim([a])
  audit.next(now)
  audit.failed(a, 7, now)
  now = audit.dueAt
  audit.next(now)
  audit.unknown(a, now)
  expect(audit.result().failed).toHaveLength(1)
  now = audit.dueAt
  expect(audit.next(now)).toEqual({ infoHash: a, piece: 7 })
})

test('the daily audit that says nothing leaves the proof to end by itself', () => {
  claim([a])
  passAll()
  const passedAt = now
  now = audit.dueAt
  audit.next(now)
  audit.unknown(a, now)
  expect(audit.dueAt).toBe(now + 1000)
  expect(audit.speaksAt(passedAt + day - 1)).toBe(true)
  expect(audit.speaksAt(passedAt + day)).toBe(false)
})

test('one that lost an item is asked for the others of the bucket within a minute', () => {
  claim([a, b, c])
  passAll()
  now = audit.dueAt
  const lost = audit.next(now)?.infoHash ?? ''
  audit.failed(lost, 0, now)
  expect(provenIn(audit)).toBe(packTags([a, b, c].filter((one) => one !== lost).map(tagOf)))
  now += 60_000
  expect(passAll().toSorted()).toEqual([a, b, c].toSorted())
})

test('a claim that was taken back while it was asked for is neither proven nor failed', () => {
  claim([a, b])
  audit.next(now)
  audit.next(now)
  claim([])
  expect(audit.failed(a, 0, now)).toBe(false)
  expect(audit.passed(b, now)).toBe(false)
  expect(audit.result()).toEqual({ passedAt: 0, proven: '', failed: [] })
})

test('of a holder that has nothing, as many failures as a result can say are told, and nothing is proven', () => {
  const all = Array.from({ length: 150 }, (_, i) => hash(i + 1))
  claim(all)
  for (let task = audit.next(now); task !== undefined; task = audit.next(now)) audit.failed(task.infoHash, 0, now)
  const result = auditResultSchema.parse(audit.result())
  expect(result).toMatchObject({ proven: '', passedAt: 0 })
  expect(result.failed).toHaveLength(100)
})

test('an auditor that is charged no more goes on with what was failed alone', () => {
  claim([a, b])
  audit.next(now)
  audit.failed(a, 3, now)
  audit.charge(false, now)
  expect(audit.next(now)).toBeUndefined()
  claim([a, b, c])
  now = audit.dueAt
  expect([audit.next(now), audit.next(now)]).toEqual([{ infoHash: a, piece: 3 }, undefined])
  audit.passed(a, now)
  expect(audit.dueAt).toBe(Infinity)
  audit.charge(true, now)
  expect(passAll().toSorted()).toEqual([b, c].toSorted())
})
