import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { manifestOf } from '@eldernode/core/testing'
import { createVerifier, openIdentity } from '@eldernode/member/keys'
import { acceptGun } from '@eldernode/member/links'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { InfoHashSet } from '../access/index.ts'
import { wordsOf } from './info-hash.ts'
import { readLists } from './list-file.ts'
import { KeptLists } from './kept-lists.ts'
import { Network } from './network.ts'

/** Threads load their programs, several times, beside whatever else the machine does. */
vi.setConfig({ testTimeout: 90_000 })

const within = { timeout: 20_000, interval: 20 }
const hour = 3_600_000
const [shown, hidden, later] = ['ab'.repeat(20), 'cd'.repeat(20), 'ef'.repeat(20)]

let folder: string
let founder: { graph: Graph; id: string; owner: string; url: string }
let lines: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-network-'))
  lines = []
  founder = await found()
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** The owner's node of a new network. */
async function found() {
  const identity = openIdentity(join(folder, 'founder.key'))
  const owner = openIdentity(join(folder, 'owner.key'))
  const graph = createGraph({
    network: { owner: owner.id },
    identity,
    owner,
    verifier: createVerifier(),
    store: new MemoryGraphStore(),
    dial: () => Promise.reject(new Error('it dials nobody')),
    peers: [],
    onFault: (error) => expect.unreachable(String(error)),
  })
  const server = createServer()
  const unhook = acceptGun(server, graph)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    unhook()
    server.close()
    await graph.close()
  })
  await graph.start()
  await admit(graph, identity.id)
  const { port } = server.address() as AddressInfo
  return { graph, id: identity.id, owner: owner.id, url: `ws://127.0.0.1:${port}/gun` }
}

async function admit(graph: Graph, member: string): Promise<void> {
  const now = Date.now()
  const roles: ('publisher' | 'tracker')[] = ['publisher', 'tracker']
  await graph.publish('p', member, { member, roles, operator: '', issuedAt: now, expiresAt: now + hour })
}

function follow(peers = [founder.url]) {
  const fresh = (): InfoHashSet => new InfoHashSet(Math.random)
  const lists = { allowed: fresh(), denied: fresh(), isReady: true }
  const settings = { folder: join(folder, 'tracker'), owner: founder.owner, peers, allowPrivate: true, open: false }
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const kept = new KeptLists({ folder: settings.folder, lists, fresh, log })
  const network = new Network({ settings, log, tell: (news) => kept.hear(news) })
  network.start()
  onTestFinished(() => network.stop())
  return { network, lists, serves: (infoHash: string) => lists.allowed.has(wordsOf([infoHash])) }
}

test('it joins, lists what members may see, and has it again after a restart without anybody', async () => {
  await founder.graph.publish('m', shown, manifestOf(shown))
  await founder.graph.publish('m', hidden, manifestOf(hidden, { access: 'private' }))
  const first = follow()
  expect(first.lists.isReady).toBe(false)
  expect(statSync(join(folder, 'tracker', 'node.key')).mode & 0o777).toBe(0o600)
  // Whom its operator configured it believes what is public, before it is a member.
  await vi.waitFor(() => expect(first.serves(shown)).toBe(true), within)
  expect([first.lists.isReady, first.serves(hidden)]).toEqual([false, false])
  await vi.waitFor(() => expect(lines.join('')).toContain('not admitted to the network'), within)
  await admit(founder.graph, first.network.id)
  await vi.waitFor(() => expect([first.lists.isReady, first.serves(hidden)]).toEqual([true, true]), within)
  expect(first.network.standing).toMatchObject({ links: 1, inStep: 1, member: true, ready: true, live: 2, denied: 0 })

  await founder.graph.publish('m', later, manifestOf(later))
  await founder.graph.publish('d', shown, { infoHash: shown, state: 'denied' })
  await vi.waitFor(() => expect([first.serves(later), first.serves(shown)]).toEqual([true, false]), within)
  expect(first.lists.denied.has(wordsOf([shown]))).toBe(true)
  // It published nothing: the founder knows of one publisher and of no heartbeat.
  expect([...founder.graph.entries('hb')]).toEqual([])

  await first.network.stop()
  const second = follow([])
  expect([second.serves(hidden), second.serves(later), second.serves(shown)]).toEqual([true, true, false])
  expect(second.lists.denied.size).toBe(1)
  expect(second.lists.isReady).toBe(false)
})

test('while following fails the last list stands, and it is tried again', async () => {
  const first = follow()
  await admit(founder.graph, first.network.id)
  await founder.graph.publish('m', shown, manifestOf(shown))
  await vi.waitFor(() => expect(first.serves(shown)).toBe(true), within)
  await first.network.save()
  expect(readLists(join(folder, 'tracker', 'listed'))).toEqual({ live: wordsOf([shown]), denied: wordsOf([]) })
  await first.network.stop()
  // Whatever is wrong with the disk: here the store is no file.
  for (const name of ['graph.db', 'graph.db-wal', 'graph.db-shm'])
    rmSync(join(folder, 'tracker', name), { force: true })
  mkdirSync(join(folder, 'tracker', 'graph.db'))
  const second = follow()
  await vi.waitFor(() => expect(lines.join('')).toContain('following the network failed'), within)
  expect([second.serves(shown), second.lists.isReady]).toEqual([true, false])
  rmSync(join(folder, 'tracker', 'graph.db'), { recursive: true })
  await founder.graph.publish('m', later, manifestOf(later))
  await vi.waitFor(() => expect([second.serves(later), second.lists.isReady]).toEqual([true, true]), within)
  expect(second.serves(shown)).toBe(true)
})

test('a key that others may read, a damaged list, or a folder that is none is not used', () => {
  mkdirSync(join(folder, 'tracker'))
  writeFileSync(join(folder, 'tracker', 'listed'), 'nonsense')
  const { lists } = follow([])
  expect(lists.allowed.size).toBe(0)
  expect(lines.join('')).toContain('the list of torrents is damaged, or cannot be read')
  writeFileSync(join(folder, 'tracker', 'node.key'), 'x', { mode: 0o644 })
  expect(() => follow([])).toThrow(/node.key/)
  const log = pino({ level: 'silent' })
  const settings = {
    folder: join(folder, 'owner.key', 'x'),
    owner: founder.owner,
    peers: [],
    allowPrivate: true,
    open: false,
  }
  expect(() => new Network({ settings, log, tell: () => undefined })).toThrow(/takes no files.*network.folder/)
})
