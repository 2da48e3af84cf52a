import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Broken descriptions go through native code, whose crash would end the process that runs the test. */
test('two thousand broken offers neither end the process nor keep a place', { timeout: 120_000 }, async () => {
  const script = join(import.meta.dirname, 'fixtures', 'answer-mutated-offers.ts')
  const args = ['--conditions=@eldernode/source', script, '2000', '1']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const seen = JSON.parse(stdout) as Record<string, number>
  expect(seen).toMatchObject({ left: 0 })
  expect(seen['refused']).toBeGreaterThan(100)
  expect(seen['failed']).toBeGreaterThan(50)
  expect(seen['answered']).toBeGreaterThan(500)
})
