import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = join(resolve(import.meta.dirname, '../..'), 'scripts/bench')

interface Result {
  bench: string
  figures: Record<string, number>
}

test('a benchmark ends with one line of JSON that carries its figures', async () => {
  const { stdout } = await promisify(execFile)(script, ['graph', '500'])
  const { bench, figures } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result
  expect(bench).toBe('graph')
  expect(Object.keys(figures)).toEqual(['per_s', 'lost'])
  expect(figures['per_s']).toBeGreaterThan(0)
  expect(figures['lost']).toBe(0)
})

test('without a name, and with one that there is not, it lists what there is', async () => {
  for (const args of [[], ['../bench/graph'], ['nothing']]) {
    const failure = (await promisify(execFile)(script, args).catch((error: unknown) => error)) as {
      code: number
      stderr: string
    }
    expect(failure.code).toBe(2)
    expect(failure.stderr).toMatch(/^usage: .*(\n {2}[a-z0-9-]+){4,}\n$/)
  }
})
