import { describe, expect, it } from 'vitest'
import { add, emptyTally, lastLine, single, tallyOf, type Report } from './tally.ts'

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((test, i) => ({ fullName: `test ${i}`, status: test })),
})
const report = (...testResults: Report['testResults']): Report => ({ testResults })

describe('tallyOf', () => {
  it('counts tests, and never takes a skipped one for a passed one', () => {
    const tally = tallyOf('unit', report(file('failed', 'passed', 'failed', 'skipped', 'pending', 'todo')), 1)
    expect(tally).toEqual({
      passed: 1,
      failed: ['a.test.ts: test 1'],
      skipped: ['a.test.ts: test 2', 'a.test.ts: test 3', 'a.test.ts: test 4'],
    })
  })

  it('counts a file that fails before its tests, a run that fails after them, and no tests at all', () => {
    expect(tallyOf('unit', report(file('failed')), 1).failed).toEqual(['a.test.ts'])
    expect(tallyOf('unit', report(file('passed', 'passed')), 1).failed).toEqual([
      'unit tests: vitest ended with code 1',
    ])
    expect(tallyOf('unit', report(), 0).failed).toEqual(['unit tests: none were found'])
  })
})

describe('lastLine', () => {
  it('names skipped checks only if there are any', () => {
    const tally = [single('lint', true), single('types', false)].reduce(add, emptyTally())
    expect(lastLine(tally)).toBe('1 passed, 1 failed')
    expect(lastLine({ ...tally, skipped: ['aria2c'] })).toBe('1 passed, 1 failed, 1 skipped')
  })
})
