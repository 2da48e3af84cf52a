import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Level } from '../health/port.ts'
import {
  demands,
  duties,
  given,
  levels,
  minute,
  others,
  own,
  pass,
  pinned,
  publish,
  publisher,
  releases,
  says,
  self,
  start,
  surplus,
  time,
  told,
} from '../testing/duty-case.ts'

/** One in each bucket. */
const items = [
  ...new Map(
    Array.from({ length: 60 }, (_, n) => createHash('sha1').update(`item ${n}`).digest('hex')).map((infoHash) => [
      infoHash.slice(0, 2),
      infoHash,
    ]),
  ).values(),
].slice(0, 8)

/** Mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What the totals would be if every item were counted now. */
function counted(): Record<Level, { items: number; bytes: number }> {
  const names = ['lost', 'below-min', 'below-target', 'at-target', 'surplus'] as const satisfies Level[]
  const none = (): { items: number; bytes: number } => ({ items: 0, bytes: 0 })
  const sums = Object.fromEntries(names.map((name) => [name, none()])) as Record<Level, ReturnType<typeof none>>
  for (const { infoHash, size } of demands) {
    const sum = sums[duties.find(infoHash)!.assessment.level]
    sum.items++
    sum.bytes += size
  }
  return sums
}

/** Does what this node's other parts do about copies that are to be marked, and that go. */
function follow(): void {
  for (const infoHash of items) {
    if (own.get(infoHash) === 'releasing') releases.told(infoHash, time)
  }
  if (!told.includes('go')) return
  for (const infoHash of releases.due(time)) {
    if (!duties.goes(infoHash)) {
      duties.look(infoHash)
      continue
    }
    own.delete(infoHash)
    releases.forget(infoHash)
    duties.note(infoHash)
  }
}

beforeEach(() => {
  start()
  pass(2 * minute)
  given.stays = true
})

test('totals are what a fresh count gives, whatever happened', () => {
  const random = randomOf(20_260_101)
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!
  const acts: Record<string, (infoHash: string) => void> = {
    published: (infoHash) => {
      publish(infoHash, 1 + random(9))
      duties.look(infoHash, true)
    },
    retracted: (infoHash) => {
      demands.set(publisher, infoHash, undefined)
      duties.look(infoHash, true)
    },
    claimed: (infoHash) => {
      const states = ['held', 'held', 'held', 'held', 'releasing', 'refused', 'nothing'] as const
      const proofs = ['proven', 'proven', 'proven', 'proven', 'unknown', 'failed'] as const
      says(pick(others), infoHash, pick(states), pick(proofs))
      duties.look(infoHash)
    },
    copied: (infoHash) => {
      own.set(infoHash, 'held')
      says(self, infoHash, 'nothing', 'proven')
      duties.look(infoHash, true)
    },
    dropped: (infoHash) => {
      own.set(infoHash, pick(['refused', 'held']))
      if (random(2) === 0) own.delete(infoHash)
      duties.look(infoHash, true)
    },
    pinned: (infoHash) => {
      if (!pinned.delete(infoHash)) pinned.add(infoHash)
      for (const _ of duties.pass());
    },
    passed: () => {
      const isLong = random(4) === 0
      pass(isLong ? 11 * minute : 61_000, isLong ? others.filter(() => random(3) === 0) : [])
      for (const _ of duties.pass());
    },
    ticked: () => duties.tick(),
  }
  const names = [...Array<string>(20).fill('claimed'), 'copied', 'copied', 'copied', 'ticked', ...Object.keys(acts)]
  const seen = new Set<string>()
  for (let step = 0; step < 10_000; step++) {
    const name = pick(names)
    acts[name]!(pick(items))
    follow()
    for (const what of told.splice(0)) seen.add(what)
    const now = counted()
    for (const [level, sum] of Object.entries(now)) if (sum.items > 0) seen.add(level)
    expect(levels.totals().levels, `step ${step}: ${name}`).toEqual(now)
  }
  expect([...seen]).toEqual(expect.arrayContaining(['mark', 'unmark', 'go', 'lost', 'below-target', 'surplus']))
})

test('a copy whose mark is taken back counts at once', () => {
  const infoHash = surplus()
  duties.look(infoHash)
  expect([levels.get(infoHash), own.get(infoHash)]).toEqual(['surplus', 'releasing'])
  says(publisher, infoHash, 'nothing')
  duties.look(infoHash)
  expect([levels.get(infoHash), own.get(infoHash)]).toEqual(['at-target', 'held'])
})
