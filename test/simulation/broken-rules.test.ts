import { duty, type View } from '@eldernode/core'
import { expect, test } from 'vitest'
import type { Rules } from './rules.ts'
import { simulate } from './simulate.ts'

/** All promises that were broken under some rules, in the first of a few seeds from `first` on that breaks any. */
const broken = (rules: Partial<Rules>, first = 0, faults = 3): string => {
  for (let seed = first; seed < first + 20; seed++) {
    const { violations } = simulate({ seed, machines: 12, items: 100, faults, rules })
    if (violations.length > 0) return violations.join('\n')
  }
  return 'none'
}

/** As soon as as many others as the target are proven, and nobody was told. */
const goesAtOnce: Rules['step'] = (_releases, _infoHash, what, { copies, wanted }, { self }) => {
  const isSurplus = what.do !== 'fetch' && copies.some(({ id }) => id === self) && !wanted.includes(self)
  const others = copies.filter(
    ({ id, live, proof, state }) => id !== self && live && proof === 'proven' && state === 'held',
  )
  return isSurplus && others.length >= 3 ? 'go' : 'nothing'
}

/** As if everybody who is not seen were gone. */
const asSettled = (view: View): View => ({
  self: view.self,
  now: view.now,
  live: view.live,
  settled: true,
  member: (id) => view.member(id),
  isSuspected: (id) => view.isSuspected(id),
  claimsOf: (infoHash) => view.claimsOf(infoHash),
  proofOf: (id, infoHash) => view.proofOf(id, infoHash),
  vain: (id, infoHash) => view.vain(id, infoHash),
  isPinned: (infoHash) => view.isPinned(infoHash),
})

test.each<[what: string, rules: Partial<Rules>, promise: RegExp]>([
  [
    'a copy goes without a mark and a wait',
    { step: goesAtOnce },
    /release: \S+ let \S+ go, and \d of \d copies are left/,
  ],
  [
    'what is unknown counts as proven',
    { proof: (proof) => (proof === 'unknown' ? 'proven' : proof) },
    /release: \S+ let \S+ go, and \d of \d copies are left/,
  ],
  [
    'who never proves anything is waited for',
    { skips: false },
    /min: \S+ was below \d for more than|end: \S+ sees \S+ below/,
  ],
  [
    'who is silent for a moment is replaced at once',
    { graceMs: 20_000 },
    /bytes: \d+ were moved where \d+ were newly wanted/,
  ],
  [
    'a node repairs while it may only not have heard of the others yet',
    { duty: (demand, assessment, view) => duty(demand, assessment, asSettled(view)) },
    /bytes: \d+ were moved where \d+ were newly wanted/,
  ],
])('the simulation notices when %s', (_, rules, promise) => {
  expect(broken(rules)).toMatch(promise)
})

test('the simulation notices when copies of suspected members count as sure: it takes one that is lost while others are too many', () => {
  const step: Rules['step'] = (releases, infoHash, what, ...about) =>
    releases.step(infoHash, what.do === 'release' ? { ...what, sure: true } : what, ...about)
  expect(broken({ step }, 2, 10)).toMatch(/release: \S+ let \S+ go, and \d of \d copies are left/)
})

test('the same seed gives the same events', () => {
  const run = (): unknown => simulate({ seed: 5, machines: 12, items: 50, faults: 3 })
  expect(run()).toEqual(run())
})
