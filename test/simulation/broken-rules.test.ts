import { expect, test } from 'vitest'
import type { Rules } from './rules.ts'
import { simulate } from './simulate.ts'

/** The first promise that is broken under some rules, tried on a few seeds. */
const firstBroken = (rules: Partial<Rules>): string => {
  for (let seed = 0; seed < 40; seed++) {
    const { violations } = simulate({ seed, machines: 12, items: 100, faults: 3, rules })
    if (violations[0] !== undefined) return violations[0]
  }
  return 'none'
}

test('a node that goes at once, without a mark and a wait, leaves too few copies', () => {
  const step: Rules['step'] = (_releases, infoHash, what, { copies, wanted }, { self }) => {
    const isOver = copies.some(({ id }) => id === self) && !wanted.includes(self) && what.do !== 'fetch'
    const others = copies.filter(({ id, live, proof }) => id !== self && live && proof === 'proven').length
    return isOver && others >= 2 && infoHash !== '' ? 'go' : 'nothing'
  }
  expect(firstBroken({ step })).toMatch(/release: \S+ let \S+ go, and \d of \d copies are left/)
})
