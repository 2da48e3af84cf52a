/** What became of the checks. */
export interface Tally {
  passed: number
  failed: string[]
  skipped: string[]
}

export const emptyTally = (): Tally => ({ passed: 0, failed: [], skipped: [] })

export const add = (sum: Tally, more: Tally): Tally => ({
  passed: sum.passed + more.passed,
  failed: [...sum.failed, ...more.failed],
  skipped: [...sum.skipped, ...more.skipped],
})

/** A check that passes or fails as a whole. */
export const single = (name: string, hasPassed: boolean): Tally =>
  hasPassed ? { passed: 1, failed: [], skipped: [] } : { passed: 0, failed: [name], skipped: [] }

/** What is read of Vitest's JSON report. */
export interface Report {
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[]
}

/** A file that fails outside its tests, and a run that fails outside its files, count once. */
export const tallyOf = (project: string, report: Report, exitCode: number): Tally => {
  const tally = emptyTally()
  for (const { name, status, assertionResults } of report.testResults) {
    for (const test of assertionResults) {
      const title = `${name}: ${test.fullName}`
      if (test.status === 'passed') tally.passed++
      else if (test.status === 'failed') tally.failed.push(title)
      else tally.skipped.push(title)
    }
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) tally.failed.push(name)
  }
  if (exitCode !== 0 && tally.failed.length === 0)
    tally.failed.push(`${project} tests: vitest ended with code ${exitCode}`)
  if (tally.passed + tally.failed.length === 0) tally.failed.push(`${project} tests: none were found`)
  return tally
}

/** Always the last line. */
export const lastLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed.length} failed${skipped.length === 0 ? '' : `, ${skipped.length} skipped`}`
