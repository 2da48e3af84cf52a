import { createHash } from 'node:crypto'
import { candidate, Demands, type Assessment, type Candidate, type Claim, type Demand } from '@eldernode/core'
import { beforeEach, expect, test } from 'vitest'
import { Healths, type HealthsOptions } from './healths.ts'
import { Levels } from './levels.ts'
import type { Level, LevelChange } from './port.ts'

const hash = (n: number): string => createHash('sha1').update(String(n)).digest('hex')
const nothing = { held: false, copied: false, needed: false, stuck: false }

let demands: Demands
let live: Candidate[]
let suspected: string[]
let claims: Claim[]
let levels: Levels
let since: number | undefined
let passedAt: number
let told: number
let changes: LevelChange[]
let healths: Healths

const build = (changed: Partial<HealthsOptions> = {}) =>
  new Healths({
    duties: {
      find: (infoHash) => {
        const demand = demands.get(infoHash)
        const level = levels.get(infoHash)
        const assessment: Assessment = { wanted: ['a'], copies: [], proven: 0, missing: 3, level: level!, survives: 0 }
        return demand && { demand, assessment, duty: { do: 'nothing' } }
      },
      get passedAt() {
        return passedAt
      },
    },
    view: {
      get live() {
        return live
      },
      claimsOf: () => claims,
      isSuspected: (id) => suspected.includes(id),
    },
    demands,
    levels,
    ages: { oldest: () => 5 },
    transfers: {
      view: (infoHash) =>
        infoHash === hash(0)
          ? { lane: 'new', running: false, attempts: 1, notBefore: 9, reason: { code: 'stalled', detail: 'why' } }
          : undefined,
    },
    jobs: { drainingSince: () => since, setDraining: (at) => void (since = at) },
    now: () => 1000,
    repair: () => true,
    isUndecided: () => false,
    drained: () => told++,
    ...changed,
  })

const publish = (n: number, level: Level, own = nothing): Demand => {
  demands.set('a', hash(n), { size: 10, min: 2, target: 3, since: 1 })
  const demand = demands.get(hash(n))!
  levels.note(demand, { level }, own)
  return demand
}

beforeEach(() => {
  demands = new Demands()
  live = []
  suspected = []
  claims = []
  changes = []
  levels = new Levels(
    () => 1000,
    (change) => changes.push(change),
  )
  since = undefined
  passedAt = 0
  told = 0
  healths = build()
})

test('items come in pages by infohash, of one level if asked for', () => {
  for (let n = 0; n < 50; n++) publish(n, n % 5 === 0 ? 'below-min' : 'at-target')
  const all = Array.from({ length: 50 }, (_, n) => hash(n)).toSorted()
  const page = (after: string, level?: Level) =>
    healths.healths({ after, limit: 7, ...(level && { level }) }).map(({ demand }) => demand.infoHash)
  expect(page('')).toEqual(all.slice(0, 7))
  expect(page(all[6]!)).toEqual(all.slice(7, 14))
  expect(page(all[48]!)).toEqual(all.slice(49))
  const low = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45].map(hash).toSorted()
  expect([page('', 'below-min'), page(low[6]!, 'below-min')]).toEqual([low.slice(0, 7), low.slice(7)])
})

test('an item says what keeps it from its target, with what the last try to copy it here failed with', () => {
  publish(0, 'lost')
  publish(1, 'at-target')
  expect(healths.health(hash(0))?.why.map(({ code }) => code)).toEqual([
    'copy_pending',
    'copy_failing',
    'no_copy',
    'too_few_members',
  ])
  expect(healths.health(hash(0))?.job).toMatchObject({ attempts: 1, reason: { code: 'stalled' } })
  expect(healths.health(hash(1))).toMatchObject({ why: [] })
  expect(healths.health(hash(2))).toBeUndefined()
})

test('an item says how many refuse it and how many have no room, before it asks for more members', () => {
  publish(1, 'lost')
  const any = candidate('A'.repeat(43), { zone: '', operator: '', capacity: 100, free: 50, state: 'active' })
  const member = (id: string, free = 50, state = any.state): Candidate => ({ ...any, id, free, state })
  live = [member('a', 0), member('b'), member('c'), member('d', 9), member('e', 50, 'full')]
  claims = ['b', 'c', 'f'].map((id) => ({ id, state: 'refused' }))
  const why = () => healths.health(hash(1))!.why.map(({ code, detail }) => [code, detail.split(',')[0]])
  expect(why().slice(2)).toEqual([
    ['refused', '2 live members refused it'],
    ['no_room', '2 live members cannot take its 10 bytes for want of room'],
  ])
  live = [member('a', 0), member('b', 50, 'draining'), member('d', 9)]
  expect(why().slice(2)).toEqual([
    ['no_room', '1 live member cannot take its 10 bytes for want of room'],
    ['too_few_members', '2 live members may hold copies'],
  ])
})

test('totals follow each item, whatever it changes to, until it is gone', () => {
  publish(0, 'lost', { held: true, copied: true, needed: true, stuck: true })
  publish(1, 'surplus')
  passedAt = 3
  expect(healths.totals()).toMatchObject({ items: 2, bytes: 20, at: 3, oldestProof: 5 })
  expect(levels.sum('copied')).toEqual({ items: 1, bytes: 10 })
  publish(0, 'at-target')
  demands.set('a', hash(0), { size: 30, min: 2, target: 3, since: 1 })
  levels.note(demands.get(hash(0))!, { level: 'at-target' }, nothing)
  expect(healths.totals().levels['at-target']).toEqual({ items: 1, bytes: 30 })
  expect(levels.sum('copied')).toEqual({ items: 0, bytes: 0 })
  levels.delete(hash(0))
  levels.delete(hash(0))
  expect(healths.totals()).toMatchObject({ items: 1, bytes: 10 })
  expect(changes.map(({ infoHash, after }) => [infoHash, after])).toEqual([
    [hash(0), 'lost'],
    [hash(1), 'surplus'],
    [hash(0), 'at-target'],
    [hash(0), undefined],
  ])
})

test('draining is remembered, told once, and done when nothing is left', () => {
  publish(0, 'at-target', { held: true, copied: true, needed: true, stuck: true })
  expect(healths.draining()).toBeUndefined()
  healths.drain()
  healths.drain()
  expect([since, told, healths.isDraining]).toEqual([1000, 1, true])
  expect(healths.draining()).toEqual({ since: 1000, held: { items: 1, bytes: 10 }, done: false })
  passedAt = 2000
  const held = { items: 1, bytes: 10 }
  const none = { items: 0, bytes: 0 }
  expect(healths.draining()).toEqual({ since: 1000, held, left: held, stuck: held, done: false })
  expect(healths.healths({ stuck: true, limit: 9 })).toMatchObject([{ demand: { infoHash: hash(0) } }])
  publish(0, 'at-target', { held: true, copied: true, needed: false, stuck: false })
  const again = build()
  expect(again.draining()).toEqual({ since: 1000, held, left: none, stuck: none, done: true })
  expect(again.healths({ stuck: true, limit: 9 })).toEqual([])
  again.undrain()
  again.undrain()
  expect([since, told, again.draining()]).toEqual([undefined, 2, undefined])
})

test('a drain that finds nothing left is done at once, unless silence since the last pass may have left something', () => {
  live = [candidate('A'.repeat(43), { zone: '', operator: '', capacity: 9, free: 9, state: 'active' })]
  publish(0, 'at-target', { held: true, copied: true, needed: false, stuck: false })
  healths.drain()
  // Nothing was looked at since the start.
  expect(healths.draining()?.done).toBe(false)
  passedAt = 999
  suspected = [live[0]!.id]
  expect(healths.draining()?.done).toBe(false)
  suspected = []
  expect(healths.draining()).toMatchObject({ left: { items: 0 }, stuck: { items: 0 }, done: true })
  suspected = [live[0]!.id]
  passedAt = 1001
  expect(healths.draining()?.done).toBe(true)
})

test('a drain is not done while a copy here is hashed again, or something waits to be decided', () => {
  let isUndecided = true
  healths = build({ isUndecided: () => isUndecided })
  healths.drain()
  passedAt = 2000
  expect(healths.draining()).toMatchObject({ left: { items: 0 }, done: false })
  isUndecided = false
  expect(healths.draining()).toMatchObject({ done: true })
})
