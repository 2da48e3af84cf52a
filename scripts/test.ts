import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { FileReport } from './check/reporter.ts'
import { add, emptyTally, single, summary, tallyOf, type Tally } from './check/tally.ts'
import { provideTools } from './check/tools.ts'

const top = resolve(import.meta.dirname, '..')

/** Checks that pass or fail as a whole, cheapest first. */
const checks: Record<string, readonly [string, ...string[]]> = {
  format: ['oxfmt', '--check', '.'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  types: ['tsc', '-b'],
  knip: ['knip'],
}

const projects = ['unit', 'system']
const reporter = resolve(import.meta.dirname, 'check/reporter.ts')

const heading = (name: string): void => console.log(`\n== ${name}`)

/** Runs a program of the workspace with its output passed through; its exit code. */
const run = (command: string, args: readonly string[]): number => {
  const { status, error } = spawnSync(command, args, {
    cwd: top,
    stdio: 'inherit',
    env: { ...process.env, CI: 'true' },
  })
  if (error) console.error(error.message)
  return status ?? 1
}

const check = (name: string, [command, ...args]: readonly [string, ...string[]]): Tally => {
  heading(name)
  return single(name, run(command, args) === 0)
}

const test = (project: string, folder: string, missing: readonly string[]): Tally => {
  heading(`${project} tests`)
  const file = join(folder, `${project}.json`)
  process.env['TEST_MISSING_TOOLS'] = missing.join(',')
  process.env['TEST_REPORT'] = file
  const code = run('vitest', ['run', '--project', project, '--reporter=default', `--reporter=${reporter}`])
  try {
    return tallyOf(project, JSON.parse(readFileSync(file, 'utf8')) as FileReport[], code)
  } catch (error) {
    return single(`${project} tests: no report (${String(error)})`, false)
  }
}

const wanted = process.argv.slice(2)
const known = [...Object.keys(checks), ...projects]
if (wanted.some((name) => !known.includes(name))) {
  console.log(`Runs every check, or those that are named.\n\nUsage: scripts/test [${known.join('|')}]...`)
  process.exit(wanted.includes('--help') ? 0 : 2)
}
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name)

const folder = mkdtempSync(join(tmpdir(), 'eldernode-test-'))
const missing = isWanted('system') ? provideTools((line) => console.log(line)) : []
const tally: Tally = [
  ...Object.entries(checks).flatMap(([name, command]) => (isWanted(name) ? [check(name, command)] : [])),
  ...projects.filter(isWanted).map((project) =>
    test(
      project,
      folder,
      missing.map(({ tool }) => tool.name),
    ),
  ),
].reduce(add, emptyTally())
rmSync(folder, { recursive: true })
const tools = missing.map(({ tool, reason }) => `${tool.name}: ${reason}`)
console.log(`\n${summary(tally, tools).join('\n').replaceAll(`${top}/`, '')}`)
process.exitCode = tally.failed.length === 0 ? 0 : 1
