import { itemHalves, score, type NodeId } from '@eldernode/core'
import { expect, test } from 'vitest'
import {
  demands,
  duties,
  heartbeat,
  minute,
  others,
  others3,
  pass,
  presence,
  publisher,
  releases,
  says,
  self,
  start,
  surplus,
  time,
  told,
} from '../testing/duty-case.ts'

const isBetter = (node: NodeId, infoHash: string): boolean => {
  const scoreOf = (one: NodeId): number => score(itemHalves(infoHash), presence.get(one)!.candidate)
  return scoreOf(node) > scoreOf(self)
}
/** The one of the others that is not wanted. */
const fourth = (infoHash: string): NodeId => others.find((node) => !others3(infoHash).includes(node))!
const look = (infoHash: string): string[] => {
  duties.look(infoHash)
  return told
}

test('before this node knows the others nothing is too much', () => {
  start()
  for (const pub of [self, ...others]) presence.see({ pub, ts: time, body: heartbeat() })
  const infoHash = surplus()
  expect(look(infoHash)).toEqual([])
  pass(2 * minute)
  expect(look(infoHash)).toEqual(['mark'])
})

test('what was published here stays, though nobody could prove the copy for so long that it is not wanted', () => {
  const infoHash = surplus()
  demands.set(self, infoHash, { size: 5, min: 2, target: 3, since: 1 })
  says(self, infoHash, 'held', 'unknown')
  duties.look(infoHash)
  pass(11 * minute)
  expect(look(infoHash)).toEqual([])
  expect(duties.find(infoHash)?.assessment.wanted).not.toContain(self)
})

test.each<[string, (last: NodeId) => void]>([
  ['drains', (pub) => presence.see({ pub, ts: time + 1, body: heartbeat('draining') })],
  ['is dead', (node) => pass(11 * minute, [node])],
])('a copy whose holder %s is none of those that are left', (_, change) => {
  const infoHash = surplus((one) => isBetter(fourth(one), one))
  change(others3(infoHash).find((node) => node !== publisher)!)
  expect(look(infoHash)).toEqual([])
  expect(duties.find(infoHash)?.assessment.wanted).not.toContain(self)
})

test('the lowest score goes first: the others do not count its copy, and wait for it once it is marked', () => {
  const infoHash = surplus((one) => !isBetter(fourth(one), one))
  const [lower, last] = [fourth(infoHash), others3(infoHash)[2]!]
  says(lower, infoHash, 'held')
  says(last, infoHash, 'held', 'unknown')
  expect(look(infoHash)).toEqual([])
  says(last, infoHash, 'held')
  says(lower, infoHash, 'releasing')
  expect(look(infoHash)).toEqual(['mark'])
  releases.told(infoHash, time)
  pass(2 * minute)
  expect([look(infoHash), duties.goes(infoHash)]).toEqual([['mark'], false])
  says(lower, infoHash, 'nothing')
  expect(look(infoHash)).toEqual(['mark', 'go'])
})

test('a mark of a greater score holds nobody up, nor does a lower score keep a wanted copy from being counted', () => {
  const infoHash = surplus((one) => isBetter(fourth(one), one) && !isBetter(publisher, one))
  says(fourth(infoHash), infoHash, 'releasing')
  expect(look(infoHash)).toEqual(['mark'])
  releases.told(infoHash, time)
  pass(minute)
  expect(look(infoHash)).toEqual(['mark', 'go'])
})

test('a mark stands for a minute from when it was first told, however often it is looked at or told again', () => {
  const infoHash = surplus()
  duties.look(infoHash)
  releases.told(infoHash, time)
  for (let n = 0; n < 3; n++) {
    pass(15_000)
    releases.told(infoHash, time)
    expect([look(infoHash), duties.goes(infoHash)]).toEqual([['mark'], false])
  }
  pass(15_000)
  expect([duties.goes(infoHash), look(infoHash)]).toEqual([true, ['mark', 'go']])
})
