import { describe, expect, test } from 'vitest'
import type { Claim, HoldingState } from '../holdings/index.ts'
import { toBase64url } from '../identity/index.ts'
import { candidate, itemHalves, score } from '../placement/index.ts'
import type { Candidate, Standing } from '../placement/index.ts'
import type { Proof } from '../proof/index.ts'
import { assess } from './assess.ts'
import { duty } from './duty.ts'
import { repairDelay } from './jitter.ts'
import type { Demand, View } from './port.ts'
import { Releases, RELEASE_AFTER } from './releases.ts'
import { othersSure } from './surplus.ts'
import { Unproven } from './unproven.ts'

const infoHash = '1234567890'.repeat(4)
const standing: Standing = { zone: '', operator: '', capacity: 2 ** 40, free: 2 ** 39, state: 'active' }
const bare = Array.from({ length: 8 }, (_, n) => candidate(toBase64url(new Uint8Array(32).fill(n + 1)), standing))
/** Best first: who is wanted of any of them is whoever comes first. */
const ranked = bare.toSorted((a, b) => score(itemHalves(infoHash), b) - score(itemHalves(infoHash), a))
const id = (rank: number): string => ranked[rank]!.id
const demand: Demand = { infoHash, size: 1000, publishers: [], min: 2, target: 3, since: 0, reached: false }

interface Told {
  state?: HoldingState
  proof?: Proof
  dead?: boolean
  suspected?: boolean
  standing?: Partial<Standing>
}

/** A view in which the members, by rank, said what is told of them: proven copies where nothing else is. */
const viewOf = (self: number, told: Record<number, Told>, change: Partial<View> = {}): View => {
  const of = (one: string): Told | undefined => told[ranked.findIndex((member) => member.id === one)]
  const live = ranked
    .filter((member) => of(member.id)?.dead !== true)
    .map((member): Candidate => ({ ...member, ...of(member.id)?.standing }))
  return {
    self: id(self),
    now: 0,
    live,
    settled: true,
    member: (one) => live.find((member) => member.id === one),
    isSuspected: (one) => of(one)?.suspected ?? false,
    claimsOf: () =>
      Object.entries(told).flatMap(([rank, { state, proof }]): Claim[] =>
        state === undefined && proof === undefined ? [] : [{ id: id(Number(rank)), state: state ?? 'held' }],
      ),
    proofOf: (one) => of(one)?.proof ?? 'unknown',
    vain: () => 0,
    isPinned: () => false,
    ...change,
  }
}
const proven: Told = { proof: 'proven' }
const dutyOf = (self: number, told: Record<number, Told>, change?: Partial<View>, of = demand) => {
  const view = viewOf(self, told, change)
  return duty(of, assess(of, view), view)
}

describe('how an item stands', () => {
  test.each([
    ['nobody has it', {}, 'lost', 0],
    ['what is only claimed is no copy', { 0: { proof: 'unknown' }, 1: { proof: 'failed' } }, 'lost', 0],
    ['dead members count for nothing', { 0: { ...proven, dead: true }, 1: proven }, 'below-min', 1],
    [
      'what is about to be released counts no more',
      { 0: proven, 1: proven, 2: { ...proven, state: 'releasing' } },
      'below-target',
      2,
    ],
    ['suspected members still count', { 0: proven, 1: proven, 2: { ...proven, suspected: true } }, 'at-target', 3],
    ['one more than the target', { 0: proven, 1: proven, 2: proven, 5: { proof: 'unknown' } }, 'surplus', 3],
    [
      'more claims than the target, of too few that are proven',
      { 0: proven, 1: proven, 2: { proof: 'unknown' }, 5: { proof: 'unknown' } },
      'below-target',
      2,
    ],
  ] as const)('%s', (_, told: Record<number, Told>, level, copies) => {
    const assessment = assess(demand, viewOf(7, told))
    expect(assessment).toMatchObject({ level, proven: copies, missing: Math.max(0, 3 - copies) })
    expect(assessment.wanted).toContain(id(1))
  })

  test('says how many zones or operators may be lost together', () => {
    const at = (zone: string, operator: string): Told => ({ ...proven, standing: { zone, operator } })
    const survives = (told: Record<number, Told>): number => assess(demand, viewOf(7, told)).survives
    expect(survives({})).toBe(0)
    expect(survives({ 0: at('a', 'x') })).toBe(0)
    expect(survives({ 0: at('a', 'x'), 1: at('b', 'y'), 2: at('c', 'z') })).toBe(2)
    expect(survives({ 0: at('a', 'x'), 1: at('b', 'x'), 2: at('c', 'y') })).toBe(1)
    expect(survives({ 0: at('a', ''), 1: at('a', ''), 2: at('a', '') })).toBe(0)
    expect(survives({ 0: at('', ''), 1: at('', ''), 2: at('', '') })).toBe(2)
  })

  test('who refused is not wanted, nor who was skipped, until it has proven its copy', () => {
    const vain = (one: string): number => Number(one === id(0))
    expect(assess(demand, viewOf(7, { 1: { state: 'refused' } })).wanted).toEqual([id(0), id(2), id(3)])
    expect(assess(demand, viewOf(7, {}, { vain })).wanted).toEqual([id(1), id(2), id(3)])
    expect(assess(demand, viewOf(7, { 0: proven }, { vain })).wanted).toEqual([id(0), id(1), id(2)])
  })
})

describe('what a node has to do', () => {
  test('who is wanted and lacks it fetches, urgently below min', () => {
    expect(dutyOf(0, {})).toEqual({ do: 'fetch', urgent: true, repair: false, rarity: 0 })
    expect(dutyOf(0, { 1: proven, 2: proven })).toEqual({ do: 'fetch', urgent: false, repair: false, rarity: 2 })
    expect(dutyOf(4, { 1: proven })).toEqual({ do: 'nothing' })
  })

  test('a copy that was there before is repaired, and only by a node that has listened for long enough', () => {
    const lost = { 1: proven, 2: proven, 3: { ...proven, dead: true } }
    expect(dutyOf(0, lost)).toMatchObject({ do: 'fetch', repair: true })
    expect(dutyOf(0, lost, { settled: false })).toEqual({ do: 'nothing' })
    const forgotten = { ...demand, reached: true }
    expect(dutyOf(0, { 1: proven }, {}, forgotten)).toMatchObject({ do: 'fetch', repair: true })
    expect(dutyOf(0, { 1: proven }, { settled: false })).toMatchObject({ do: 'fetch', repair: false })
  })

  test('what failed an audit was no copy, and a pinned copy is in place of none', () => {
    const lied = { 1: proven, 2: { proof: 'failed' }, 3: { proof: 'failed' } } as const
    expect(dutyOf(0, lied, { settled: false })).toMatchObject({ do: 'fetch', urgent: true, repair: false })
    const isPinned = (): boolean => true
    expect(dutyOf(5, { 0: proven, 1: proven, 2: proven }, { isPinned })).toMatchObject({ do: 'fetch', repair: false })
  })

  test('a draining node fetches nothing and keeps what it has', () => {
    const drains: Told = { standing: { state: 'draining' } }
    expect(dutyOf(0, { 0: drains })).toEqual({ do: 'nothing' })
    expect(dutyOf(0, { 0: { ...drains, ...proven }, 1: proven, 2: proven, 3: proven })).toEqual({ do: 'keep' })
  })

  test('pinned items are fetched and kept wherever placement wants them', () => {
    const isPinned = (): boolean => true
    expect(dutyOf(5, {}, { isPinned })).toMatchObject({ do: 'fetch' })
    expect(dutyOf(5, { 0: proven, 1: proven, 2: proven, 5: proven }, { isPinned })).toEqual({ do: 'keep' })
  })

  const others = { 0: proven, 1: proven, 2: proven }
  test.each([
    ['as many others as the target are proven', {}, { do: 'release', sure: true }],
    ['one of them is unknown', { 2: { proof: 'unknown' } }, { do: 'keep' }],
    ['one of them failed', { 2: { proof: 'failed' } }, { do: 'keep' }],
    ['one of them is dead', { 2: { ...proven, dead: true } }, { do: 'keep' }],
    ['one of them is about to go', { 2: { ...proven, state: 'releasing' } }, { do: 'keep' }],
    ['one of them drains', { 2: { ...proven, standing: { state: 'draining' } } }, { do: 'keep' }],
    ['one of them is suspected', { 2: { ...proven, suspected: true } }, { do: 'release', sure: false }],
    ['the third is one that nobody wants and that goes first', { 2: { proof: 'unknown' }, 6: proven }, { do: 'keep' }],
    [
      'the third is one that nobody wants and that goes later',
      { 2: { proof: 'unknown' }, 3: proven },
      { do: 'release', sure: true },
    ],
  ] as const)('what is too much goes, or stays: %s', (_, change: Record<number, Told>, expected) => {
    expect(dutyOf(5, { ...others, 5: proven, ...change })).toEqual(expected)
  })

  test('a publisher keeps its own copy, also when nobody could prove it for so long that it is wanted no more', () => {
    const vain = (one: string): number => Number(one === id(5))
    const own = { ...demand, publishers: [id(5)] }
    const told = { ...others, 5: { proof: 'unknown' } } as const
    expect(assess(own, viewOf(5, told, { vain })).wanted).not.toContain(id(5))
    expect(dutyOf(5, told, { vain }, own)).toEqual({ do: 'keep' })
  })

  test('nothing is released by a node that has not listened for long enough, nor by who is wanted', () => {
    expect(dutyOf(5, { ...others, 5: proven }, { settled: false })).toEqual({ do: 'keep' })
    expect(dutyOf(5, { ...others, 5: proven }, {}, { ...demand, publishers: [id(5)] })).toEqual({ do: 'keep' })
  })
})

describe('a release', () => {
  const told = { 0: proven, 1: proven, 2: proven, 5: proven }
  const step = (releases: Releases, clock: number, change: Record<number, Told> = {}) => {
    const view = viewOf(5, { ...told, ...change })
    const assessment = assess(demand, view)
    return releases.step(infoHash, duty(demand, assessment, view), assessment, view, clock)
  }

  test('is marked, told, waited for 60 s, and goes', () => {
    const releases = new Releases()
    expect([step(releases, 0), step(releases, 90_000)]).toEqual(['mark', 'wait'])
    releases.told(infoHash, 100_000)
    releases.told(infoHash, 150_000)
    expect(step(releases, 100_000 + RELEASE_AFTER - 1)).toBe('wait')
    expect([...releases.due(100_000 + RELEASE_AFTER - 1)]).toEqual([])
    expect([...releases.due(100_000 + RELEASE_AFTER)]).toEqual([infoHash])
    expect(step(releases, 100_000 + RELEASE_AFTER)).toBe('go')
    releases.forget(infoHash)
    expect([releases.size, step(releases, 200_000)]).toEqual([0, 'mark'])
  })

  test('is given up as soon as the node is wanted or others lack, and waits anew', () => {
    const releases = new Releases()
    step(releases, 0)
    releases.told(infoHash, 0)
    expect(step(releases, RELEASE_AFTER, { 2: { proof: 'unknown' } })).toBe('unmark')
    expect(step(releases, RELEASE_AFTER)).toBe('mark')
    expect(step(releases, 2 * RELEASE_AFTER)).toBe('wait')
  })

  test('waits while one of the others is suspected, and keeps its mark', () => {
    const releases = new Releases()
    step(releases, 0)
    releases.told(infoHash, 0)
    expect(step(releases, RELEASE_AFTER, { 2: { ...proven, suspected: true } })).toBe('wait')
    expect(step(releases, RELEASE_AFTER)).toBe('go')
  })

  test('waits for marked copies of a lower score, unless those are dead', () => {
    const releases = new Releases()
    step(releases, 0)
    releases.told(infoHash, 0)
    const marked: Told = { ...proven, state: 'releasing' }
    expect(step(releases, RELEASE_AFTER, { 6: marked })).toBe('wait')
    expect(step(releases, RELEASE_AFTER, { 6: { ...marked, dead: true } })).toBe('go')
    expect(step(releases, RELEASE_AFTER, { 4: marked })).toBe('go')
  })

  test('a thousand copies are marked at once, no more', () => {
    const releases = new Releases()
    const view = viewOf(5, told)
    const assessment = assess(demand, view)
    const steps = Array.from({ length: 1001 }, (_, n) =>
      releases.step(`${n}`, { do: 'release', sure: true }, assessment, view, 0),
    )
    expect([steps.filter((one) => one === 'mark').length, steps.at(-1)]).toEqual([1000, 'nothing'])
  })

  test('a node that drains may go when the others are as many as the target', () => {
    const count = (change: Record<number, Told>): number =>
      othersSure(assess(demand, viewOf(5, { ...told, ...change })), id(5))
    expect([count({}), count({ 1: { ...proven, suspected: true } }), count({ 1: {}, 2: {} })]).toEqual([3, 2, 1])
  })
})

describe('who is waited for in vain', () => {
  const size = 60_000_000
  const patience = 660_000
  const big = { ...demand, size }
  let clock = 0
  const note = (unproven: Unproven, told: Record<number, Told>): void => {
    const view = viewOf(7, told, { vain: (one, hash) => unproven.vain(one, hash) })
    unproven.note(big, assess(big, view), view)
  }

  test('is skipped after 10 min and the time for its bytes, and stays so until it has proven its copy', () => {
    clock = 0
    const unproven = new Unproven(() => clock)
    note(unproven, { 1: proven, 2: proven })
    clock = patience - 1
    note(unproven, { 1: proven, 2: proven })
    expect([unproven.vain(id(0), infoHash), [...unproven.overdue(0)]]).toEqual([0, []])
    clock = patience
    expect([unproven.vain(id(0), infoHash), [...unproven.overdue(0)]]).toEqual([1, [infoHash]])
    expect([...unproven.overdue(patience)]).toEqual([])
    clock = 3 * patience
    note(unproven, { 1: proven, 2: proven, 3: proven })
    expect(unproven.vain(id(0), infoHash)).toBe(1)
    note(unproven, { 0: proven, 1: proven, 2: proven })
    expect([unproven.vain(id(0), infoHash), unproven.size]).toEqual([0, 0])
  })

  test('is waited for again in its turn when there is no other: a liar keeps nobody away who was only slow', () => {
    clock = 0
    const unproven = new Unproven(() => clock)
    const refused: Told = { state: 'refused' }
    const told = { 0: { proof: 'failed' }, 1: proven, 2: proven, 5: refused, 6: refused, 7: refused } as const
    const turns = Array.from({ length: 7 }, () => {
      note(unproven, told)
      const { wanted } = assess(big, viewOf(7, told, { vain: (one, hash) => unproven.vain(one, hash) }))
      clock += patience
      return ranked.findIndex(({ id: one }) => one === wanted.find((each) => each !== id(1) && each !== id(2)))
    })
    expect(turns).toEqual([0, 3, 4, 0, 3, 4, 0])
  })

  test.each([
    ['it dies', { 0: { dead: true }, 1: proven, 2: proven, 3: proven }],
    ['the item is forgotten', undefined],
  ])('is waited for anew after %s', (_, told: Record<number, Told> | undefined) => {
    clock = 0
    const unproven = new Unproven(() => clock)
    note(unproven, { 1: proven, 2: proven })
    clock = patience
    if (told === undefined) unproven.forget(infoHash)
    else note(unproven, told)
    expect(unproven.vain(id(0), infoHash)).toBe(0)
    note(unproven, { 1: proven, 2: proven })
    expect(unproven.vain(id(0), infoHash)).toBe(0)
  })

  test.each([
    ['nobody has what it should copy', { 1: { proof: 'unknown' } }, false],
    ['those who have it are suspected', { 1: { ...proven, suspected: true } }, true],
    ['it is itself suspected', { 0: { suspected: true }, 1: proven, 2: proven }, true],
  ] as const)('is not blamed for a time in which %s', (_, told: Record<number, Told>, isLater) => {
    clock = 0
    const unproven = new Unproven(() => clock)
    note(unproven, { 1: proven, 2: proven })
    clock = 100_000
    note(unproven, told)
    clock += patience - 1
    expect(unproven.vain(id(0), infoHash)).toBe(0)
    clock += 1
    expect(unproven.vain(id(0), infoHash)).toBe(Number(isLater))
  })
})

test('repairs begin within 15 s, spread over items and nodes, and always at the same time', () => {
  const delays = Array.from({ length: 3000 }, (_, n) =>
    repairDelay((n * 7919).toString(16).padStart(16, 'e').padEnd(40, '0'), ranked[n % 8]!),
  )
  expect(Math.max(...delays)).toBeLessThan(15_000)
  for (let second = 0; second < 15; second++) {
    expect(delays.filter((delay) => Math.floor(delay / 1000) === second).length).toBeGreaterThan(120)
  }
  expect(repairDelay(infoHash, ranked[0]!)).toBe(repairDelay(infoHash, ranked[0]!))
})
