import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Demand } from '@eldernode/core'
import type { Item, StorageState } from '../../library/index.ts'
import { Turns } from '../../turns.ts'
import {
  demands,
  duties,
  given,
  levels,
  others3,
  own,
  pass,
  pinned,
  releases,
  says,
  self,
  surplus,
  time,
  told,
  unread,
} from '../testing/duty-case.ts'
import type { ReleaseEvent } from '../port.ts'
import { Release } from './release.ts'

let turns: Turns
let here: Set<string>
let disk: StorageState
let state: Item['state']
let events: string[]
let emitted: ReleaseEvent[]
let between: () => void
let release: Release

beforeEach(() => {
  given.stays = true
  turns = new Turns()
  here = new Set()
  disk = 'here'
  state = 'live'
  events = []
  emitted = []
  between = () => {}
  release = new Release({
    library: {
      storage: () => ({ folder: '/disk', state: disk }),
      head: (infoHash) => (here.has(infoHash) ? ({ state, owner: 'o', access: 'unlisted' } as never) : undefined),
      remove: async (infoHash) => {
        here.delete(infoHash)
        events.push('removed')
      },
    },
    swarm: {
      remove: async () => {
        events.push('unseeded')
        await Promise.resolve()
        between()
      },
    },
    serving: {
      forget: async (infoHash) => {
        own.delete(infoHash)
        events.push('forgotten')
      },
    },
    turns,
    goes: (infoHash) => duties.goes(infoHash),
    gone: (infoHash) => releases.forget(infoHash),
    touch: () => void events.push('touched'),
    released: (event) => void emitted.push(event),
    now: () => 7,
    log: pino({ level: 'silent' }),
  })
})
afterEach(() => release.close())

/** A copy that the network has enough others of, and whose mark has stood for long enough. */
function due(): Demand {
  const infoHash = surplus()
  here.add(infoHash)
  duties.look(infoHash)
  releases.told(infoHash, time)
  pass(61_000)
  return demands.get(infoHash)!
}

const closed = async (): Promise<string[]> => {
  await release.close()
  await new Promise(setImmediate)
  return events
}

test('a copy that is due goes once, and its mark with it', async () => {
  const demand = due()
  release.go(demand)
  release.go(demand)
  expect(await closed()).toEqual(['unseeded', 'removed', 'forgotten', 'touched'])
  expect([release.done, releases.isMarked(demand.infoHash)]).toEqual([{ items: 1, bytes: 5 }, false])
  const { infoHash } = demand
  const data = { size: 5 }
  expect(emitted).toEqual([{ type: 'released', infoHash, owner: 'o', access: 'unlisted', at: 7, data }])
  release.go(demand)
  expect(await closed()).toEqual(['unseeded', 'removed', 'forgotten', 'touched'])
})

test.each<[string, (infoHash: string) => void]>([
  ['it was pinned', (infoHash) => void pinned.add(infoHash)],
  ['another copy was lost', (infoHash) => says(others3(infoHash)[2]!, infoHash, 'held', 'failed')],
  ['it was published here', (infoHash) => void demands.set(self, infoHash, { size: 5, min: 2, target: 3, since: 1 })],
  ['it was published here, and nobody looked at it yet', (infoHash) => void unread.add(infoHash)],
  ['nobody publishes it any more', (infoHash) => void demands.set(others3(infoHash)[0]!, infoHash, undefined)],
  ['this node fell out of step', () => void (given.inStep = false)],
])('a copy stays, and is looked at anew, when meanwhile %s', async (_, change) => {
  const demand = due()
  between = () => change(demand.infoHash)
  release.go(demand)
  expect(await closed()).toEqual(['unseeded', 'touched'])
  expect([here.has(demand.infoHash), release.done.items, emitted]).toEqual([true, 0, []])
  duties.look(demand.infoHash)
  expect(told.includes('unmark')).toBe(levels.get(demand.infoHash) !== undefined && given.inStep)
})

test.each<[string, () => void]>([
  ['its disk is away', () => void (disk = 'missing')],
  ['another disk is in the place of its own', () => void (disk = 'foreign')],
  ['it was retracted, for its bytes are kept for a while', () => void (state = 'retracted')],
])('a copy stays when %s, from the start or only then', async (_, change) => {
  const demand = due()
  between = change
  release.go(demand)
  expect(await closed()).toEqual(['unseeded'])
  release.go(demand)
  expect(await closed()).toEqual(['unseeded'])
  expect([here.has(demand.infoHash), release.done.items, emitted]).toEqual([true, 0, []])
})

test('no copy goes amid the publication of its item', async () => {
  const demand = due()
  let published: (() => void) | undefined
  const publishing = turns.take(demand.infoHash, () => new Promise<void>((resolve) => (published = resolve)))
  release.go(demand)
  await new Promise(setImmediate)
  expect(events).toEqual([])
  demands.set(self, demand.infoHash, { size: 5, min: 2, target: 3, since: 1 })
  published?.()
  await publishing
  expect(await closed()).toEqual(['touched'])
  expect([here.has(demand.infoHash), own.get(demand.infoHash)]).toEqual([true, 'held'])
})

test('a disk that refuses is tried again: the mark stays', async () => {
  const demand = due()
  between = () => {
    throw new Error('the disk refuses')
  }
  // Once more while it runs is no other try.
  for (let n = 0; n < 2; n++) release.go(demand)
  expect(await closed()).toEqual(['unseeded'])
  expect(releases.isMarked(demand.infoHash)).toBe(true)
})
