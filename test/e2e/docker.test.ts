import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { loadSettings } from '@eldernode/core'
import { configSchema } from '@eldernode/seeder/config'
import { trackerSchema } from '@eldernode/tracker/config'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { Seeder } from '../harness/index.ts'

interface Service {
  build: { context: string; dockerfile: string }
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
}

const run = promisify(execFile)
const top = resolve(import.meta.dirname, '../..')
let services: Record<string, Service>

/** What compose makes of `${NAME:-default}` and `$$`. */
const interpolate = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll('$$', '$')

beforeAll(async () => {
  const text = await readFile(join(top, 'docker/compose.yaml'), 'utf8')
  services = (parse(interpolate(text), { merge: true }) as { services: Record<string, Service> }).services
})

const script = (name: string, ...args: string[]) => run(process.execPath, [join(top, 'scripts', name), ...args])

describe('compose.yaml', () => {
  test('has a tracker, three seeders, and one that admits them', () => {
    expect(Object.keys(services)).toEqual(['tracker', 'seeder-1', 'seeder-2', 'seeder-3', 'admit'])
    for (const { build } of Object.values(services))
      expect(existsSync(join(top, 'docker', build.context, build.dockerfile))).toBe(true)
  })

  test('sets only settings that exist, to values that are accepted', () => {
    for (const [name, { environment = {} }] of Object.entries(services)) {
      const schema = name === 'tracker' ? trackerSchema : configSchema
      expect(loadSettings<typeof schema>(schema, { env: environment }).values, name).toBeDefined()
    }
  })

  test('publishes the ports that its seeders name and listen on', () => {
    const { port } = loadSettings(trackerSchema, {}).values
    expect(services['tracker']?.ports).toEqual([`${port}:${port}/tcp`, `${port}:${port}/udp`])
    for (const name of ['seeder-1', 'seeder-2', 'seeder-3']) {
      const { environment = {}, ports } = services[name]!
      const { http, swarm, network } = loadSettings(configSchema, { env: environment }).values
      expect(ports).toEqual([`${http.port}:${http.port}/tcp`, `${swarm.port}:${swarm.port}/tcp`])
      expect(http.publicUrl).toMatch(new RegExp(`:${http.port}$`))
      expect(swarm.address).toMatch(new RegExp(`:${swarm.port}$`))
      expect(swarm.trackers).toHaveLength(3)
      expect(network.peers).toEqual(name === 'seeder-1' ? [] : ['ws://seeder-1:8765/gun'])
    }
  })

  test('keeps what each has in a volume of its own, where its image puts it', async () => {
    for (const name of ['tracker', 'seeder-1', 'seeder-2', 'seeder-3'])
      expect(services[name]?.volumes).toEqual([`${name}:/data`])
    const image = await readFile(join(top, 'docker/tracker.Dockerfile'), 'utf8')
    const settings = Array.from(image.matchAll(/(ELDERNODE_\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value])
    const { snapshot, ledger, admin, network } = loadSettings(trackerSchema, {
      env: Object.fromEntries(settings) as Record<string, string>,
    }).values
    for (const path of [snapshot, ledger.file, admin.tokenFile, network.folder]) expect(path).toMatch(/^\/data(\/|$)/)
  })

  test('admits every seeder that joins, with the token of the one that owns the network', () => {
    expect(services['admit']?.command?.slice(1)).toEqual([
      'scripts/admit.ts',
      'http://seeder-1:8765',
      '/owner/admin.token',
      'http://seeder-2:8766',
      'http://seeder-3:8767',
    ])
    expect(services['admit']?.volumes).toEqual(['seeder-1:/owner:ro'])
  })
})

/** Folders of an app's own packages, and of those that they need. */
const madeOf = async (folder: string): Promise<string[]> => {
  const text = await readFile(join(top, folder, 'package.json'), 'utf8')
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> }
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@eldernode/'))
  const folders = own.map((name) => name.replace('@eldernode', 'packages'))
  return [...folders, ...(await Promise.all(folders.map(madeOf))).flat()]
}

describe.for(['seeder', 'tracker'])('%s.Dockerfile', (app) => {
  test('copies what exists, runs as another user than root, sets only settings that exist, and checks its health', async () => {
    const text = await readFile(join(top, `docker/${app}.Dockerfile`), 'utf8')
    for (const [, from = ''] of text.matchAll(/^COPY (?!--)(.*) \S+$/gm)) {
      for (const path of from.split(' ')) expect(existsSync(join(top, path)), path).toBe(true)
    }
    // Packages of the workspace that the app is made of come along, as source and as what was built.
    for (const name of await madeOf(`apps/${app}`)) {
      expect(text).toContain(`COPY ${name} ${name}\n`)
      expect(text).toContain(`COPY ${name}/package.json ${name}/\n`)
      expect(text).toContain(`COPY --from=build /app/${name}/dist ${name}/dist\n`)
    }
    expect(text).toMatch(/^USER node$/m)
    expect(text).toMatch(/^HEALTHCHECK /m)
    expect(text).toContain(`"apps/${app}/dist/main.js"`)
    const settings = Array.from(text.matchAll(/(ELDERNODE_\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value])
    const env = Object.fromEntries(settings) as Record<string, string>
    const schema = app === 'tracker' ? trackerSchema : configSchema
    expect(loadSettings<typeof schema>(schema, { env }).values).toBeDefined()
  })
})

test('the scripts of compose.yaml join a seeder to a network and admit it, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-compose-'))
  const owner = new Seeder('owner', join(folder, 'owner'), { 'network.allowPrivate': true })
  await owner.start()
  const { stdout } = await script('owner.ts', owner.url)
  const key = stdout.trim()
  const joining = new Seeder('joining', join(folder, 'joining'), {
    'network.allowPrivate': true,
    'network.owner': key,
    'network.peers': [owner.gun],
  })
  onTestFinished(async () => {
    await Promise.all([owner.kill(), joining.kill()])
    await rm(folder, { recursive: true, force: true })
  })
  await joining.start()
  for (let time = 0; time < 2; time++) {
    const admitted = await script('admit.ts', owner.url, join(folder, 'owner/admin.token'), joining.url)
    expect(admitted.stdout).toBe(`member: ${joining.id} ${joining.url}\n`)
  }
  await joining.ready()
  const { members } = await owner.get<{ members: { member: string }[] }>('/v1/members')
  expect(members.filter(({ member }) => member === joining.id)).toHaveLength(1)
})
