import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Media, Network, type Seeder, until } from '../harness/index.ts'

const cli = fileURLToPath(new URL('../../apps/seeder/src/cli/main.ts', import.meta.url))
let folder: string
let settings: string
let network: Network
let first: Seeder

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-access-'))
  settings = join(folder, 'seeder.toml')
  await writeFile(settings, '[quota]\nbytes = 1000\n')
  network = await Network.start({ seeders: 2, settings: { config: settings } })
  first = network.first
})

afterAll(async () => {
  await network.close()
  await rm(folder, { recursive: true })
})

const eldernode = async (...args: string[]): Promise<string> => {
  const env = { ELDERNODE_URL: first.url, ELDERNODE_TOKEN: first.token }
  const command = ['--conditions=@eldernode/source', cli, ...args]
  return (await promisify(execFile)(process.execPath, command, { env })).stdout.trim()
}

const ask = async (seeder: Seeder, token: string, path: string, init: RequestInit = {}): Promise<Response> =>
  await fetch(seeder.url + path, { ...init, headers: token === '' ? {} : { authorization: `Bearer ${token}` } })

const publish = async (token: string, name: string, query = ''): Promise<Media> => {
  const answer = await ask(first, token, `/v1/media?name=${name}${query}`, { method: 'PUT', body: `bytes of ${name}` })
  expect(answer.status).toBe(201)
  return (await answer.json()) as Media
}

const listed = async (seeder: Seeder, token = ''): Promise<string[]> => {
  const { items } = (await (await ask(seeder, token, '/v1/media?limit=1000')).json()) as { items: Media[] }
  return items.map(({ id }) => id)
}

test('tokens and revocations that were answered survive a power cut', async () => {
  const kept = await eldernode('token', 'create', '--owner', 'alice', '--scope', 'media:write')
  const dropped = await eldernode('token', 'create', '--owner', 'alice', '--scope', 'media:write')
  await eldernode('token', 'revoke', dropped.slice(3, 19))
  await first.kill()
  await first.start()
  await first.ready()
  expect((await ask(first, kept, '/v1/tokens/self')).status).toBe(200)
  expect((await ask(first, dropped, '/v1/tokens/self')).status).toBe(401)
})

test('quotas follow the settings file on SIGHUP, and what is used survives a power cut', async () => {
  const token = await eldernode('token', 'create', '--owner', 'bob', '--scope', 'media:write')
  const put = (name: string, size: number) =>
    ask(first, token, `/v1/media?name=${name}`, { method: 'PUT', body: name.padEnd(size, '.') })
  expect((await put('fits', 900)).status).toBe(201)
  expect((await put('too-much', 101)).status).toBe(507)
  await first.kill()
  await first.start()
  await first.ready()
  expect((await put('too-much', 101)).status).toBe(507)
  await writeFile(settings, '[quota]\nbytes = 1001\n')
  process.kill(first.pid, 'SIGHUP')
  await until(() => first.logged({ msg: 'the settings were read again' }), { within: 10_000, what: 'a reload' })
  expect((await put('too-much', 101)).status).toBe(201)
})

test('copies on other nodes are as hidden as the item', async () => {
  const scopes = ['--scope', 'media:write', '--scope', 'media:read-private']
  const token = await eldernode('token', 'create', '--owner', 'carol', ...scopes)
  const items = await Promise.all([
    publish(token, 'open', '&replicas=2'),
    publish(token, 'unlisted', '&access=unlisted&replicas=2'),
    publish(token, 'private', '&access=private&replicas=2'),
  ])
  const [open, unlisted, secret] = items.map(({ id }) => id)
  const second = network.seeders[1] ?? first
  await until(() => heldBy(second, items), { within: 60_000, what: 'the other node has copies' })
  for (const seeder of network.seeders) {
    expect(await listed(seeder)).toContain(open)
    expect(await listed(seeder)).not.toContain(unlisted)
    expect(await listed(seeder)).not.toContain(secret)
    expect((await ask(seeder, '', `/v1/media/${unlisted}/content`)).status).toBe(200)
    for (const path of ['', '/files', '/torrent', '/content'])
      expect((await ask(seeder, '', `/v1/media/${secret}${path}`)).status).toBe(404)
  }
  expect(await (await ask(first, token, `/v1/media/${secret}/content`)).text()).toBe('bytes of private')
})

async function heldBy(seeder: Seeder, items: readonly Media[]): Promise<boolean> {
  const held = await listed(seeder, seeder.token)
  return items.every(({ id }) => held.includes(id))
}
