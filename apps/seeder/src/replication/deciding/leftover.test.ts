import { expect, test } from 'vitest'
import {
  bad,
  duties,
  given,
  heartbeat,
  item,
  levels,
  minute,
  others,
  others3,
  own,
  pass,
  pinned,
  presence,
  publish,
  queued,
  says,
  start,
  surplus,
  time,
  told,
  unread,
} from '../testing/duty-case.ts'

test('a bad copy that nobody wants here is made right while others are too few, and then what is left of it goes', () => {
  const infoHash = item(false)
  publish(infoHash)
  const holders = others3(infoHash)
  for (const node of holders.slice(0, 2)) says(node, infoHash, 'held')
  duties.look(infoHash)
  expect(told).toEqual([])
  bad.add(infoHash)
  duties.look(infoHash)
  expect([told, queued.get(infoHash)]).toMatchObject([['add'], { lane: 'repair', urgent: false, rarity: 2 }])
  says(holders[2]!, infoHash, 'held', 'unknown')
  duties.look(infoHash)
  expect([told, duties.drops(infoHash)]).toEqual([['add', 'rank'], false])
  says(holders[2]!, infoHash, 'held')
  expect([duties.drops(infoHash), duties.isElsewhere(infoHash)]).toEqual([true, true])
  duties.look(infoHash)
  expect(told).toEqual(['add', 'rank', 'cancel', 'drop'])
})

test('a bad copy stays that is pinned or wanted, and before this node knows the others; a refused one is left alone', () => {
  const infoHash = item(false)
  publish(infoHash)
  for (const node of others3(infoHash)) says(node, infoHash, 'held')
  bad.add(infoHash)
  pinned.add(infoHash)
  expect(duties.drops(infoHash)).toBe(false)
  pinned.delete(infoHash)
  expect(duties.drops(infoHash)).toBe(true)
  given.inStep = false
  expect(duties.drops(infoHash)).toBe(false)
  start()
  publish(infoHash)
  for (const node of others) presence.see({ pub: node, ts: time, body: heartbeat() })
  for (const node of others3(infoHash)) says(node, infoHash, 'held')
  expect(duties.drops(infoHash)).toBe(false)
  pass(2 * minute)
  says(others3(infoHash)[0]!, infoHash, 'nothing')
  own.set(infoHash, 'refused')
  bad.add(infoHash)
  duties.look(infoHash)
  expect(told).toEqual([])
})

test.each<[string, (infoHash: string) => void]>([
  ['was published here, and nobody looked at it yet', (infoHash) => void unread.add(infoHash)],
  ['was made right meanwhile', (infoHash) => void own.set(infoHash, 'held')],
])('what is left of a bad copy stays when the item %s', (_, change) => {
  const infoHash = surplus()
  own.delete(infoHash)
  bad.add(infoHash)
  expect(duties.drops(infoHash)).toBe(true)
  change(infoHash)
  expect(duties.drops(infoHash)).toBe(false)
})

test('how an item stands is noted without a step towards it', () => {
  const infoHash = surplus()
  duties.look(infoHash)
  expect([told, levels.get(infoHash)]).toEqual([['mark'], 'surplus'])
  own.delete(infoHash)
  duties.note(infoHash)
  expect([told, levels.get(infoHash)]).toEqual([['mark'], 'at-target'])
})
