import { describe, expect, it } from 'vitest'
import type { FileReport } from './reporter.ts'
import { add, emptyTally, single, summary, tallyOf } from './tally.ts'

const file = (hasFailed: boolean, ...states: FileReport['tests'][number]['state'][]): FileReport => ({
  file: 'a.test.ts',
  hasFailed,
  milliseconds: 1,
  tests: states.map((state, i) => ({ title: `test ${i}`, state })),
})

describe('tallyOf', () => {
  it('counts tests, and never takes a skipped one for a passed one', () => {
    const report = file(true, 'passed', 'failed', 'skipped')
    report.tests.push({ title: 'as root', state: 'skipped', note: 'takes root' })
    expect(tallyOf('unit', [report], 1)).toEqual({
      passed: 1,
      failed: ['a.test.ts: test 1'],
      skipped: ['a.test.ts: test 2 (needs a tool that is missing)', 'a.test.ts: as root (takes root)'],
    })
  })

  it('counts a file that fails before its tests, a run that fails after them, and no tests at all', () => {
    expect(tallyOf('unit', [file(true)], 1).failed).toEqual(['a.test.ts'])
    expect(tallyOf('unit', [file(false, 'passed')], 1).failed).toEqual(['unit tests: vitest ended with code 1'])
    expect(tallyOf('unit', [], 0).failed).toEqual(['unit tests: none were found'])
  })
})

describe('summary', () => {
  const tally = [single('lint', true), single('types', false)].reduce(add, emptyTally())

  it('ends with the same line whether anything was skipped or not', () => {
    expect(summary({ ...tally, failed: [] }, [])).toEqual(['1 passed, 0 failed'])
    expect(summary({ ...tally, skipped: ['a (takes root)'] }, ['aria2c: there is no apt-get'])).toEqual([
      'tools that cannot be had:',
      '  aria2c: there is no apt-get',
      '',
      '1 skipped:',
      '  a (takes root)',
      '',
      '1 failed:',
      '  types',
      '',
      '1 passed, 1 failed',
    ])
  })
})
