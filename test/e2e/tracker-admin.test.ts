import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { routesOf } from '../../apps/tracker/src/admin/routes.ts'
import { RedisServer } from '../../apps/tracker/src/ledger/testing/redis-server.ts'
import { examplesOf, routeName } from '../harness/api-examples.ts'
import { Tracker, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const run = promisify(execFile)
const document = 'docs/tracker.md'
const text = await readFile(resolve(import.meta.dirname, '../..', document), 'utf8')
const examples = await examplesOf(document, 3)
const hash = 'ab'.repeat(20)

let folder: string
let trackers: Tracker[]

beforeEach(async () => {
  trackers = []
  folder = await mkdtemp(join(tmpdir(), 'eldernode-admin-'))
})

afterEach(async () => {
  await Promise.all(trackers.map((tracker) => tracker.stop()))
  await rm(folder, { recursive: true, force: true })
})

const tokenFile = (): string => join(folder, 'admin.token')

const started = async (settings: Record<string, string | number>): Promise<Tracker> => {
  const tracker = new Tracker({ 'access.mode': 'private', 'admin.tokenFile': tokenFile(), ...settings })
  trackers.push(tracker)
  onTestFailed(() => console.error(tracker.output()))
  await tracker.start()
  return tracker
}

const urlOf = (tracker: Tracker): string => `http://127.0.0.1:${tracker.port}`

const ask = async (tracker: Tracker, method: string, path: string, body?: object) => {
  const token = (await readFile(tokenFile(), 'utf8')).trim()
  const response = await fetch(urlOf(tracker) + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer = await response.text()
  return { status: response.status, body: (answer === '' ? {} : JSON.parse(answer)) as Record<string, unknown> }
}

/** An announce of HTTP as its answer's text; each port is another peer. */
const announce = async (tracker: Tracker, path: string, port = 5000, uploaded = 0): Promise<string> => {
  const query = `info_hash=${hash.replaceAll(/../g, '%$&')}&peer_id=${'-XX0001-123456789012'}&port=${port}&left=0`
  const response = await fetch(`${urlOf(tracker)}${path}?${query}&uploaded=${uploaded}&downloaded=0&compact=1`, {
    headers: { connection: 'close' },
  })
  return Buffer.from(await response.arrayBuffer()).toString('latin1')
}

/** How many of four connections, each of which may be another worker's, are refused. */
const refusals = async (tracker: Tracker, path: string): Promise<number> => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => announce(tracker, path)))
  return answers.filter((answer) => answer.includes('failure reason')).length
}

/** What `/health` says to a connection of its own; nothing when it meets a worker that has just died. */
const health = async (tracker: Tracker): Promise<string> => {
  try {
    return await (await fetch(`${urlOf(tracker)}/health`, { headers: { connection: 'close' } })).text()
  } catch {
    return ''
  }
}

/** The processes of a tracker of two, once both answer. */
const workersOf = async (tracker: Tracker): Promise<[number, number] | undefined> => {
  const { workers } = (await ask(tracker, 'GET', '/stats')).body as { workers: { pid: number }[] }
  const [one, two] = workers.map(({ pid }) => pid)
  return one === undefined || two === undefined ? undefined : [one, two]
}

const peersOf = async (tracker: Tracker): Promise<number> => {
  const { body } = await ask(tracker, 'GET', '/stats')
  return (body as { peers: { total: number } }).peers.total
}

test('every route of the admin API has an example, and every curl command stands in one that is run', () => {
  const routes = routesOf({} as Parameters<typeof routesOf>[0]).map(({ method, path }) => routeName(method, path))
  expect(examples.map(({ route }) => route).toSorted()).toEqual([...routes, 'GET /health', 'GET /metrics'].toSorted())
  const commands = text.match(/^.*\bcurl .*$/gm) ?? []
  expect(examples.flatMap(({ script }) => script.match(/^.*\bcurl .*$/gm) ?? [])).toEqual(commands)
})

test.skipIf(lacks('curl') || lacks('jq'))(
  'the examples of docs/tracker.md work; keys, totals and bans outlive a restart',
  async () => {
    const settings = { 'ledger.file': join(folder, 'ledger.db'), snapshot: join(folder, 'peers'), 'cluster.workers': 2 }
    let tracker = await started(settings)
    expect((await stat(tokenFile())).mode & 0o777).toBe(0o600)
    const token = (await readFile(tokenFile(), 'utf8')).trim()
    // The key of the examples is used before it is revoked.
    const kept = await ask(tracker, 'POST', '/v1/keys', { label: 'kept' })
    const path = String(kept.body['announce'])
    const given = { TRACKER: urlOf(tracker), TOKEN: token, HASH: hash }
    const preset = Object.entries(given).map(([name, value]) => `${name}='${value}'`)
    const script = [...preset, ...examples.map((example) => example.script)].join('\n')
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, timeout: 60_000 })
    expect(stdout).toMatch(/"label": "alice"[^]*"infoHashes":\["(ab){20}"\][^]*ok\n[^]*eldernode_tracker_peers 0/)
    const { announce: revoked } = JSON.parse(await readFile(join(folder, 'key.json'), 'utf8')) as { announce: string }
    // Whichever worker is asked, it has heard before the change was answered.
    expect(await refusals(tracker, revoked)).toBe(4)
    expect(await refusals(tracker, path)).toBe(0)
    expect(await refusals(tracker, '/announce')).toBe(4)
    await announce(tracker, path, 5000, 4000)
    await ask(tracker, 'PUT', '/v1/bans/203.0.113.9', { seconds: 1000 })
    // Totals that were not taken to the ledger yet are when it stops.
    expect(await tracker.stop()).toBe(0)
    tracker = await started(settings)
    expect((await ask(tracker, 'GET', `/v1/keys/${String(kept.body['id'])}`)).body).toMatchObject({ uploaded: 4000 })
    expect((await ask(tracker, 'GET', '/v1/bans')).body).toMatchObject({ bans: [{ network: '203.0.113.9' }] })
    expect(await peersOf(tracker)).toBe(1)
    expect((await fetch(`${urlOf(tracker)}/stats`)).status).toBe(401)
    // A worker that is gone is told, and is back soon.
    const [pid] = await until(async () => workersOf(tracker), { within: 20_000, what: 'both workers answer' })
    process.kill(pid, 'SIGKILL')
    await until(async () => (await health(tracker)) === '1 of 2 workers do not answer\n', {
      within: 15_000,
      what: 'it is missed',
    })
    await until(async () => (await health(tracker)) === 'ok\n', { within: 60_000, what: 'it is back' })
    expect(tracker.output()).not.toContain(String(kept.body['passkey']))
  },
)

test('without a token file there are no such doors; passkeys that are kept nowhere stop the start', async () => {
  const open = await started({
    'access.mode': 'open',
    'admin.tokenFile': '',
    members: '10.9.9.9',
    'limits.requestsPerAddress': 1,
  })
  for (const path of ['/stats', '/v1/keys']) expect((await fetch(urlOf(open) + path)).status).toBe(404)
  expect(await (await fetch(`${urlOf(open)}/health`)).text()).toBe('ok\n')
  // Ten seconds of one request a second, and then no more, whatever is asked for.
  const asked = await Promise.all(Array.from({ length: 12 }, () => fetch(`${urlOf(open)}/metrics`)))
  expect(asked.filter(({ status }) => status === 429).length).toBeGreaterThan(2)
  const homeless = new Tracker({ 'access.mode': 'private' })
  trackers.push(homeless)
  await until(() => homeless.ended, { within: 60_000, what: 'the tracker ends' })
  expect(homeless.ended).toBe(78)
  expect(homeless.output()).toContain('set ledger.file, or cluster.valkey')
})

test.skipIf(lacks('redis-server'))(
  'two machines share keys, bans and totals through Valkey, and outlive it',
  async () => {
    const server = await RedisServer.start()
    try {
      const settings = { 'cluster.valkey': server.url, members: '10.9.9.9' }
      const [one, two] = [await started(settings), await started(settings)]
      const made = await ask(one, 'POST', '/v1/keys', { label: 'shared' })
      const [path, id] = [String(made.body['announce']), String(made.body['id'])]
      await until(async () => (await announce(two, path)).includes('8:completei1e'), {
        within: 15_000,
        what: 'the key holds',
      })
      await announce(two, path, 5000, 900)
      await until(async () => (await ask(one, 'GET', `/v1/keys/${id}`)).body['uploaded'] === 900, {
        within: 15_000,
        what: 'the total is told',
      })
      await server.kill()
      await until(async () => (await ask(one, 'GET', '/v1/keys')).status === 503, {
        within: 15_000,
        what: 'it is away',
      })
      // What the ledger said last holds.
      expect(await announce(one, path, 6000)).toContain('8:completei1e')
      expect(await (await fetch(`${urlOf(one)}/health`)).text()).toBe('ok\n')
      await server.restart()
      await until(async () => (await ask(one, 'DELETE', `/v1/keys/${id}`)).status === 204, {
        within: 15_000,
        what: 'it is back',
      })
      expect(await peersOf(one)).toBe(0)
      expect(await announce(one, path, 6000)).toContain('failure reason')
      const began = performance.now()
      await until(async () => (await peersOf(two)) === 0, { within: 15_000, what: 'its peers are gone elsewhere' })
      expect(performance.now() - began).toBeLessThan(5000)
      expect(await announce(two, path)).toContain('failure reason')
      expect((await ask(two, 'PUT', '/v1/bans/127.0.0.1', { seconds: 1000 })).status).toBe(200)
      await until(async () => (await announce(one, path)).includes('is banned'), {
        within: 15_000,
        what: 'a ban holds',
      })
      expect(await (await fetch(`${urlOf(one)}/health`)).text()).toContain('is banned')
    } finally {
      await server.close()
    }
  },
)
