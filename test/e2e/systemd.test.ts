import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { describeSettings, loadSettings } from '@eldernode/core'
import { configSchema } from '@eldernode/seeder/config'
import { trackerSchema } from '@eldernode/tracker/config'
import { describe, expect, test } from 'vitest'
import { lacks } from '../harness/tools.ts'

const run = promisify(execFile)
const folder = resolve(import.meta.dirname, '../../systemd')
const cannotAnalyze = lacks('systemd-analyze')

describe.for([
  { app: 'seeder', schema: configSchema },
  { app: 'tracker', schema: trackerSchema },
])('the unit of the $app', ({ app, schema }) => {
  const unit = resolve(folder, `eldernode-${app}.service`)

  test.skipIf(cannotAnalyze)('has nothing for systemd-analyze verify to say', async () => {
    const { stdout, stderr } = await run('systemd-analyze', ['verify', unit])
    expect(stdout + stderr).toBe('')
  })

  test.skipIf(cannotAnalyze)('is exposed by 3.0 at most', async () => {
    const { stdout } = await run('systemd-analyze', [
      'security',
      '--offline=true',
      '--threshold=30',
      '--no-pager',
      unit,
    ])
    expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(3)
  })

  test('starts the built app as its own user, with settings that exist', async () => {
    const text = await readFile(unit, 'utf8')
    expect(text).toContain(`/opt/eldernode/apps/${app}/dist/main.js`)
    expect(text).toContain('User=eldernode')
    expect(text).not.toMatch(/^MemoryDenyWriteExecute/m)
    const known = describeSettings(schema).map(({ env }) => env)
    for (const [, name = ''] of text.matchAll(/^Environment=(\w+)=/gm)) expect(known).toContain(name)
  })
})

test.for(['seeder', 'tracker'])(
  'a reload of the %s tells it to read its settings again, and ends nothing',
  async (app) => {
    const text = await readFile(resolve(folder, `eldernode-${app}.service`), 'utf8')
    const command = /^ExecReload=(.+)$/m.exec(text)?.[1] ?? ''
    const script = `process.once('SIGHUP', () => console.log('read again')); setInterval(() => {}, 1e6); console.log('up')`
    const child = spawn(process.execPath, ['-e', script])
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('up')
    // As systemd does: its main process in the place of the variable, and no shell.
    const [program = '', ...words] = command.split(' ').map((word) => word.replace('$MAINPID', String(child.pid)))
    await run(program, words)
    expect((await lines.next()).value).toBe('read again')
    child.kill('SIGKILL')
    await once(child, 'exit')
  },
)

test('the tracker keeps all it has in its folder, which outlives it', async () => {
  const text = await readFile(resolve(folder, 'eldernode-tracker.service'), 'utf8')
  const lines = Array.from(text.matchAll(/^Environment=(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value])
  const env = Object.fromEntries(lines) as Record<string, string>
  const { snapshot, ledger, admin, network } = loadSettings(trackerSchema, { env }).values
  expect(text).toMatch(/^StateDirectory=eldernode-tracker$/m)
  for (const path of [`${snapshot}/`, `${ledger.file}/`, `${admin.tokenFile}/`, `${network.folder}/`])
    expect(path).toMatch(/^\/var\/lib\/eldernode-tracker\//)
})

test('the user of the units is made by sysusers.d', async () => {
  expect(await readFile(resolve(folder, 'eldernode.sysusers.conf'), 'utf8')).toMatch(/^u eldernode /m)
})
