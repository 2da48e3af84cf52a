import type { FileReport } from './reporter.ts'

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

/** A file that fails outside its tests, and a run that fails outside its files, count once. */
export const tallyOf = (project: string, report: readonly FileReport[], exitCode: number): Tally => {
  const tally = emptyTally()
  for (const { file, hasFailed, tests } of report) {
    for (const { title, state, note = 'needs a tool that is missing' } of tests) {
      if (state === 'passed') tally.passed++
      else if (state === 'failed') tally.failed.push(`${file}: ${title}`)
      else tally.skipped.push(`${file}: ${title} (${note})`)
    }
    if (hasFailed && !tests.some(({ state }) => state === 'failed')) tally.failed.push(file)
  }
  if (exitCode !== 0 && tally.failed.length === 0)
    tally.failed.push(`${project} tests: vitest ended with code ${exitCode}`)
  if (tally.passed + tally.failed.length === 0) tally.failed.push(`${project} tests: none were found`)
  return tally
}

/** Everything that did not pass, by name and reason, and always at the end one line of numbers. */
export const summary = ({ passed, failed, skipped }: Tally, missing: readonly string[]): string[] => [
  ...list('tools that cannot be had', missing),
  ...list(`${skipped.length} skipped`, skipped),
  ...list(`${failed.length} failed`, failed),
  `${passed} passed, ${failed.length} failed`,
]

const list = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`), '']
