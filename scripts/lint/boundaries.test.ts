import { execFile } from 'node:child_process'
import { cp, mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fault } from './boundaries.ts'

const top = resolve(import.meta.dirname, '../..')
let copy: string

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'eldernode-lint-'))
  await cp(join(top, '.oxlintrc.json'), join(copy, '.oxlintrc.json'))
  await cp(join(top, 'scripts/lint'), join(copy, 'scripts/lint'), { recursive: true })
  await symlink(join(top, 'node_modules'), join(copy, 'node_modules'))
})

afterAll(() => rm(copy, { recursive: true, force: true }))

const lint = (file: string): Promise<string> =>
  new Promise((done) => {
    const oxlint = join(top, 'node_modules/oxlint/bin/oxlint')
    execFile(process.execPath, [oxlint, file], { cwd: copy }, (_error, stdout) => done(stdout))
  })

const planted: [file: string, line: string, complaint: string][] = [
  ['packages/core/src/identity/a.ts', `export * from 'node:fs'`, 'core runs in browsers'],
  ['packages/core/src/identity/a2.ts', `import 'fs/promises'`, 'core runs in browsers'],
  ['packages/core/src/identity/b.ts', `export * from '@eldernode/seeder'`, 'may not import @eldernode/seeder'],
  ['packages/core/src/manifest/b2.ts', `import '../graph/index.ts'`, 'manifest may not know packages/core/src/graph'],
  ['packages/core/src/graph/b3.ts', `import '../identity/sha256.ts'`, 'shows others its index.ts and nothing else'],
  ['packages/core/src/manifest/c.ts', `import 'gun'`, 'gun is imported in packages/core/src/graph only'],
  ['apps/seeder/src/http/d.ts', `import 'webtorrent'`, 'webtorrent is imported in apps/seeder/src/swarm only'],
  ['apps/seeder/src/http/e.ts', `import 'node:sqlite'`, 'node:sqlite is imported in packages/member/src/graph-store'],
  ['apps/seeder/src/library/f.ts', `import '../http/index.ts'`, 'library may not know apps/seeder/src/http'],
  ['apps/seeder/src/http/g.ts', `import '../library/catalog.ts'`, 'shows others its index.ts and nothing else'],
  ['apps/seeder/src/http/h.ts', `await import('../upkeep/index.ts')`, 'may not know apps/seeder/src/upkeep'],
  ['apps/seeder/src/attic/j.ts', `import '../http/index.ts'`, 'has no room'],
  ['apps/tracker/src/i.ts', `import '../../seeder/src/keys/index.ts'`, 'may not reach into apps/seeder'],
]

test.each(planted)('%s: %s is refused', async (file, line, complaint) => {
  await mkdir(join(copy, dirname(file)), { recursive: true })
  await writeFile(join(copy, file), `${line}\n`)
  expect(await lint(file)).toContain(complaint)
})

test('what the house allows passes', () => {
  expect(fault('apps/seeder/src/http/media.ts', '../library/index.ts')).toBeUndefined()
  expect(fault('apps/seeder/src/library/catalog.ts', 'node:sqlite')).toBeUndefined()
  expect(fault('apps/seeder/src/compose.ts', './http/index.ts')).toBeUndefined()
  expect(fault('test/e2e/publish.test.ts', '../../apps/seeder/src/keys/identity.ts')).toBeUndefined()
})
