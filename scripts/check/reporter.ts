import { writeFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** What became of one file of tests; a test that is skipped may say why. */
export interface FileReport {
  file: string
  hasFailed: boolean
  milliseconds: number
  tests: { title: string; state: 'passed' | 'failed' | 'skipped'; note?: string }[]
}

const reportOf = (test: TestCase): FileReport['tests'][number] => {
  const result = test.result()
  const title = test.fullName
  // One that was begun and never ended is no success.
  if (result.state === 'pending') return { title, state: 'failed' }
  if (result.state === 'skipped' && result.note !== undefined) return { title, state: 'skipped', note: result.note }
  return { title, state: result.state }
}

/** Writes a `FileReport[]` to the file that `TEST_REPORT` names; Vitest's own JSON leaves out why tests are skipped. */
export default class TestReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module): FileReport => ({
      file: module.moduleId,
      hasFailed: module.state() === 'failed',
      milliseconds: Math.round(module.diagnostic().duration),
      tests: [...module.children.allTests()].map(reportOf),
    }))
    writeFileSync(process.env['TEST_REPORT'] ?? 'test-report.json', JSON.stringify(files))
  }
}
