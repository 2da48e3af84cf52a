import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Config } from './config.ts'
import { Reload } from './reload.ts'
import { SettingsSource } from './settings-source.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-settings-'))
  file = join(folder, 'seeder.toml')
})
afterEach(() => rm(folder, { recursive: true }))

const log = pino({ level: 'silent' })

function start(argv: string[] = []) {
  const source = new SettingsSource({ argv, env: {}, defaultFile: file })
  const started = source.read()
  if (started.kind !== 'run') throw new Error('nothing to run')
  const change = vi.fn<(config: Config) => void>()
  const reload = new Reload({
    running: started.values,
    read: () => source.readAgain(started.values),
    change,
    log,
  })
  return { reload, limits: () => change.mock.calls.map(([{ swarm }]) => swarm.uploadLimit) }
}

test.each([
  ['the default file', () => []],
  ['the one of --config', () => ['--config', file]],
])('%s was read and is gone: an error is logged, and no limit is lifted', async (_which, flags) => {
  await writeFile(file, '[swarm]\nuploadLimit = 5')
  const { reload, limits } = start(flags())
  const said = vi.spyOn(log, 'error')
  await rename(file, `${file}.away`)
  reload.run()
  expect(limits()).toEqual([])
  expect(said).toHaveBeenCalledTimes(1)
  said.mockRestore()
  await writeFile(file, '[swarm]\nuploadLimit = 6')
  reload.run()
  expect(limits()).toEqual([6])
})

test('a default file that was never there is missed by nobody, one that came later is', async () => {
  const { reload, limits } = start()
  reload.run()
  await writeFile(file, '[swarm]\nuploadLimit = 7')
  reload.run()
  await rm(file)
  reload.run()
  expect(limits()).toEqual([0, 7])
})
