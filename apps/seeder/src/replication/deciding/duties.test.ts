import { wantedHolders } from '@eldernode/core'
import { expect, test } from 'vitest'
import {
  demands,
  duties,
  given,
  heartbeat,
  item,
  levels,
  changes,
  barred,
  pinned,
  minute,
  others,
  others3,
  own,
  pass,
  presence,
  publish,
  publisher,
  queued,
  releases,
  reviewed,
  says,
  self,
  start,
  surplus,
  time,
  told,
} from '../testing/duty-case.ts'

test('a new item is fetched at once, below its least number of copies ahead of others, and ranked anew as copies come', () => {
  const infoHash = item(true)
  publish(infoHash)
  says(publisher, infoHash, 'held')
  duties.look(infoHash)
  expect(queued.get(infoHash)).toEqual({ lane: 'new', urgent: true, rarity: 1, since: 1, size: 5, delayMs: 0 })
  says(others3(infoHash)[1]!, infoHash, 'held')
  duties.look(infoHash)
  expect(queued.get(infoHash)).toMatchObject({ urgent: false, rarity: 2 })
  expect(told).toEqual(['add', 'rank'])
  own.set(infoHash, 'held')
  queued.delete(infoHash)
  duties.look(infoHash)
  expect(told).toEqual(['add', 'rank'])
})

test('what nobody who lives is known to have comes last, until somebody says to have it', () => {
  const infoHash = item(true)
  publish(infoHash)
  duties.look(infoHash)
  expect(queued.get(infoHash)).toMatchObject({ urgent: true, unclaimed: true })
  says(publisher, infoHash, 'held', 'failed')
  duties.look(infoHash)
  expect(queued.get(infoHash)).toMatchObject({ unclaimed: true })
  says(publisher, infoHash, 'held', 'unknown')
  duties.look(infoHash)
  expect(queued.get(infoHash)).not.toHaveProperty('unclaimed')
  pass(15 * minute, [publisher])
  duties.look(infoHash)
  expect(queued.get(infoHash)).toMatchObject({ unclaimed: true })
})

test('a copy that is lost is replaced after the grace time and a jitter of its own, and not before', () => {
  const infoHash = item(false)
  publish(infoHash)
  const holders = others3(infoHash)
  for (const node of holders) says(node, infoHash, 'held')
  duties.look(infoHash)
  const dead = holders.filter((node) => node !== publisher)
  pass(9 * minute, dead)
  for (const _ of duties.pass());
  expect(queued.size).toBe(0)
  pass(2 * minute, dead)
  for (const _ of duties.pass());
  expect(queued.get(infoHash)).toMatchObject({ lane: 'repair', urgent: true, rarity: 1 })
  const { delayMs } = queued.get(infoHash)!
  expect(delayMs! >= 0 && delayMs! < 15_000).toBe(true)
  // They come back before the copy was begun: nothing was lost.
  pass(minute)
  for (const _ of duties.pass());
  expect([queued.size, told.at(-2), told.at(-1)]).toEqual([0, 'cancel', 'sweep'])
})

test('in the first minute after a start nothing is repaired or released, for others may only not be heard yet', () => {
  const lost = item(false)
  const unheard = others.slice(0, 3)
  start()
  publish(lost)
  pass(15_000, unheard)
  for (const node of unheard) says(node, lost, 'held')
  duties.look(lost)
  pass(30_000, unheard)
  duties.look(lost)
  expect(told).toEqual([])
  pass(30_000, unheard)
  duties.look(lost)
  expect(queued.get(lost)).toMatchObject({ lane: 'repair' })
})

test('what is not wanted here any more is not fetched any more; nor what nobody publishes', () => {
  const infoHash = item(true)
  publish(infoHash)
  says(publisher, infoHash, 'held')
  duties.look(infoHash)
  own.set(infoHash, 'refused')
  duties.look(infoHash)
  expect(told).toEqual(['add', 'cancel'])
  expect(levels.get(infoHash)).toBe('below-min')
  demands.set(publisher, infoHash, undefined)
  duties.look(infoHash)
  expect([duties.find(infoHash), levels.get(infoHash), levels.totals().items]).toEqual([undefined, undefined, 0])
})

test('what may not be fetched is not; a pinned item is, wanted or not', () => {
  const infoHash = item(true)
  publish(infoHash)
  barred.add(infoHash)
  duties.look(infoHash)
  const precious = item(false)
  publish(precious)
  duties.look(precious)
  expect(told).toEqual([])
  pinned.add(precious)
  duties.look(precious)
  expect([...queued.keys()]).toEqual([precious])
})

test('an item that changed is tried at once, whatever it waits for', () => {
  const infoHash = item(true)
  publish(infoHash)
  duties.look(infoHash)
  duties.look(infoHash, true)
  expect(told).toEqual(['add', 'add now'])
  // And what the policy said of it counts no more; nor when nobody publishes it.
  expect(reviewed).toEqual([infoHash])
  demands.set(publisher, infoHash, undefined)
  duties.look(infoHash)
  expect(reviewed).toEqual([infoHash, infoHash])
})

test('before this node is in step with the network it does nothing', () => {
  given.inStep = false
  const infoHash = item(true)
  publish(infoHash)
  duties.look(infoHash)
  expect(told).toEqual([])
})

test('a surplus copy is marked, and goes a minute after the network was told', () => {
  const infoHash = surplus()
  duties.look(infoHash)
  expect(told).toEqual(['mark'])
  pass(5 * minute)
  duties.tick()
  // Nobody was told yet.
  expect(told).toEqual(['mark'])
  releases.told(infoHash, time)
  pass(59_000)
  duties.tick()
  expect(told).toEqual(['mark'])
  pass(60_000)
  duties.tick()
  expect(told).toEqual(['mark', 'go'])
  duties.look(infoHash)
  expect(told).toEqual(['mark', 'go'])
})

test.each<[string, (infoHash: string) => void]>([
  ['another copy is unproven', (infoHash) => says(others3(infoHash)[2]!, infoHash, 'held', 'unknown')],
  ['another copy failed an audit', (infoHash) => says(others3(infoHash)[2]!, infoHash, 'held', 'failed')],
  ['another is about to be released', (infoHash) => says(others3(infoHash)[2]!, infoHash, 'releasing')],
  ['another is gone', (infoHash) => says(others3(infoHash)[2]!, infoHash, 'nothing')],
  ['it is pinned meanwhile', (infoHash) => void pinned.add(infoHash)],
])('a marked copy stays when %s', (_, change) => {
  const infoHash = surplus()
  duties.look(infoHash)
  releases.told(infoHash, time)
  change(infoHash)
  pass(2 * minute)
  duties.tick()
  expect(told.filter((what) => what === 'go')).toEqual([])
  expect(told).toContain('unmark')
  expect(own.get(infoHash)).toBe('held')
})

test('a marked copy stays while another holder is suspected', () => {
  const infoHash = surplus()
  duties.look(infoHash)
  releases.told(infoHash, time)
  pass(2 * minute, [others3(infoHash)[2]!])
  duties.tick()
  expect(told).toEqual(['mark'])
  pass(15_000)
  duties.tick()
  expect(told).toEqual(['mark', 'go'])
})

test('a draining node fetches and releases nothing, and is done when the others have enough', () => {
  const infoHash = surplus()
  const wanted = item(true)
  publish(wanted)
  presence.see({ pub: self, ts: time + 1, body: heartbeat('draining') })
  duties.look(infoHash)
  duties.look(wanted)
  expect(told).toEqual([])
  expect([levels.sum('held'), levels.sum('needed').items]).toEqual([{ items: 1, bytes: 5 }, 0])
  says(others3(infoHash)[2]!, infoHash, 'held', 'unknown')
  duties.look(infoHash)
  expect(levels.sum('needed')).toEqual({ items: 1, bytes: 5 })
})

test('a draining node is not done while others have too few copies, also when they have no room for more', () => {
  const infoHash = item(false)
  publish(infoHash)
  says(publisher, infoHash, 'held')
  own.set(infoHash, 'held')
  const full = { ...heartbeat('full'), capacity: { bytes: 2 ** 40, used: 2 ** 40, free: 0 } }
  const look = (): unknown => {
    duties.look(infoHash)
    return [levels.sum('needed').items, levels.sum('stuck').items, levels.isStuck(infoHash)]
  }
  presence.see({ pub: self, ts: time + 1, body: heartbeat('draining') })
  for (const pub of others) if (pub !== publisher) presence.see({ pub, ts: time + 1, body: full })
  expect(look()).toEqual([1, 1, true])
  // Room is made on one, then on another, whose copies are yet to be proven.
  for (const pub of others.slice(1, 3)) presence.see({ pub, ts: time + 2, body: heartbeat() })
  expect(look()).toEqual([1, 0, false])
  for (const pub of others.slice(1, 3)) says(pub, infoHash, 'held')
  expect(look()).toEqual([0, 0, false])
})

test('where fewer members stay than an item asks for, a draining node is done when all of them have it', () => {
  const infoHash = item(false)
  publish(infoHash)
  own.set(infoHash, 'held')
  presence.see({ pub: self, ts: time + 1, body: heartbeat('draining') })
  for (const pub of others.slice(1)) presence.see({ pub, ts: time + 1, body: heartbeat('draining') })
  duties.look(infoHash)
  expect(levels.sum('needed').items).toBe(1)
  says(publisher, infoHash, 'held')
  duties.look(infoHash)
  expect(levels.sum('needed').items).toBe(0)
})

test('it is not done by whom it hears first, before the others come back', () => {
  const infoHash = item(false)
  publish(infoHash)
  own.set(infoHash, 'held')
  says(publisher, infoHash, 'held')
  pass(20 * minute, others)
  presence.see({ pub: publisher, ts: time + 1, body: heartbeat() })
  duties.look(infoHash)
  expect(levels.sum('needed').items).toBe(1)
})

test('a wanted holder that proves nothing is replaced after ten minutes, and one that does not exist is not waited for', () => {
  const infoHash = item(false)
  publish(infoHash)
  const holders = others3(infoHash)
  for (const node of holders.slice(0, 2)) says(node, infoHash, 'held')
  duties.look(infoHash)
  pass(9 * minute)
  duties.tick()
  expect(queued.has(infoHash)).toBe(false)
  pass(2 * minute)
  duties.tick()
  const next = wantedHolders({ infoHash, size: 5, publishers: [publisher], target: 4 }, presence.live(), {
    holds: () => false,
    refused: () => false,
    vain: (node) => Number(node === holders[2]),
  })
  // Whoever is next: this node when it is, nobody else here.
  expect(queued.has(infoHash)).toBe(next.slice(0, 3).includes(self))
})

test('levels are told when they change, and summed up', () => {
  const infoHash = item(false)
  publish(infoHash, 7)
  duties.look(infoHash)
  for (const node of others3(infoHash)) {
    says(node, infoHash, 'held')
    duties.look(infoHash)
  }
  duties.look(infoHash)
  expect(changes.map(({ before, after }) => [before, after])).toEqual([
    [undefined, 'lost'],
    ['lost', 'below-min'],
    ['below-min', 'below-target'],
    ['below-target', 'at-target'],
  ])
  expect(changes[0]).toMatchObject({ infoHash, size: 7, at: time })
  expect(levels.totals()).toMatchObject({ items: 1, bytes: 7, levels: { 'at-target': { items: 1, bytes: 7 } } })
  expect(duties.passedAt).toBe(0)
  for (const _ of duties.pass());
  expect(duties.passedAt).toBe(time)
})

test('a copy that is being made goes on while one is missing, wherever it is wanted, unless this node drains', () => {
  const infoHash = item(true)
  publish(infoHash)
  says(publisher, infoHash, 'held')
  duties.look(infoHash)
  given.runs = true
  // The room for it is set aside: none seems to be left.
  const capacity = { bytes: 2 ** 40, used: 2 ** 40, free: 0 }
  presence.see({ pub: self, ts: time + 1, body: { ...heartbeat(), capacity } })
  duties.look(infoHash)
  expect(told).toEqual(['add'])
  presence.see({ pub: self, ts: time + 2, body: heartbeat('draining') })
  duties.look(infoHash)
  expect(told).toEqual(['add', 'cancel'])
  given.runs = false
  presence.see({ pub: self, ts: time + 3, body: heartbeat() })
  duties.look(infoHash)
  given.runs = true
  presence.see({ pub: self, ts: time + 4, body: { ...heartbeat(), capacity } })
  for (const node of others3(infoHash)) says(node, infoHash, 'held')
  duties.look(infoHash)
  expect(told).toEqual(['add', 'cancel', 'add', 'cancel'])
})
