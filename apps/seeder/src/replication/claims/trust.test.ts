import { setImmediate as nextTurn } from 'node:timers/promises'
import { auditKey, packTags, tagOf, WebIdentity, WebVerifier } from '@eldernode/core'
import type { AuditResult, Certificate, Role } from '@eldernode/core'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Network } from '../members/network.ts'

const infoHash = 'ab'.repeat(20)
const holdings = { held: [infoHash], releasing: [], refused: [] }
const found: AuditResult = { passedAt: 1, proven: packTags([tagOf(infoHash)]), failed: [] }

let now: number
let store: MemoryGraphStore
let owner: WebIdentity
let holder: WebIdentity
let auditor: WebIdentity
let graph: Graph
let closing: (() => unknown)[]
let network: Network | undefined
let told: { proved: string[]; moved: number }

/** Each node's graph works on one store: it learns of a certificate when it starts. */
async function graphOf(identity: WebIdentity): Promise<Graph> {
  const opened = createGraph({
    network: { owner: owner.id },
    identity,
    ...(identity === owner && { owner }),
    verifier: new WebVerifier(),
    store,
    dial: () => Promise.reject(new Error('nobody to dial')),
    peers: [],
    now: () => now,
    onFault: (error) => {
      throw error
    },
  })
  await opened.start()
  closing.push(() => opened.close())
  return opened
}

async function certify(member: string, roles: Role[], more: Partial<Certificate> = {}): Promise<void> {
  await graph.publish('p', member, { member, roles, operator: '', issuedAt: now, expiresAt: now + 1e9, ...more })
}

async function begin(): Promise<void> {
  network?.close()
  told = { proved: [], moved: 0 }
  network = new Network({
    self: owner.id,
    graph,
    graceMs: 600_000,
    now: () => now,
    clock: () => now,
    own: () => undefined,
    isPinned: () => false,
    moved: () => told.moved++,
    returned: () => {},
    appeared: () => {},
    claimed: () => {},
    proved: (infoHashes) => told.proved.push(...infoHashes),
    log: pino({ level: 'silent' }),
  })
  network.open()
  await network.takeStock()
}

/** Has another certificate act. */
async function judge(member: string, roles: Role[], more: Partial<Certificate> = {}): Promise<void> {
  await certify(member, roles, more)
  await nextTurn()
}

beforeEach(async () => {
  now = 1_800_000_000_000
  closing = []
  store = new MemoryGraphStore()
  ;[owner, holder, auditor] = await Promise.all([
    WebIdentity.generate(),
    WebIdentity.generate(),
    WebIdentity.generate(),
  ])
  graph = await graphOf(owner)
  await certify(owner.id, ['seeder', 'publisher'])
  await certify(holder.id, ['seeder'])
  await certify(auditor.id, ['auditor'])
  await (await graphOf(holder)).publish('h', 'ab', holdings)
  await (await graphOf(auditor)).publish('a', auditKey(holder.id, 'ab'), { ...found, passedAt: now })
  await begin()
})

afterEach(async () => {
  network?.close()
  network = undefined
  await Promise.all(closing.map((close) => close()))
})

const claim = () => network?.index.stateOf(holder.id, infoHash)
const proof = () => network?.proofs.proofOf(holder.id, infoHash, now)

test('what members said before this node began counts', () => {
  expect([claim(), proof()]).toEqual(['held', 'proven'])
})

test('of a revoked holder nothing counts, and all of it again when it is a member again', async () => {
  await judge(holder.id, [])
  expect([claim(), told.moved]).toEqual([undefined, 1])
  network?.judge()
  await nextTurn()
  expect(told.moved).toBe(1)
  await begin()
  expect(claim()).toBeUndefined()
  await judge(holder.id, ['seeder'])
  expect([claim(), proof(), told.moved]).toEqual(['held', 'proven', 1])
})

test('a certificate that expires is one that is gone', async () => {
  await judge(holder.id, ['seeder'], { expiresAt: now + 1000 })
  expect(claim()).toBe('held')
  now += 1000
  network?.judge()
  await nextTurn()
  expect(claim()).toBeUndefined()
})

test('a member without the role of a holder holds nothing that counts', async () => {
  await judge(holder.id, ['publisher', 'auditor'])
  expect(claim()).toBeUndefined()
  await begin()
  expect(claim()).toBeUndefined()
})

test('of a revoked auditor no result counts, and all of them again when it audits again', async () => {
  await judge(auditor.id, ['seeder'])
  expect([claim(), proof(), told.moved]).toEqual(['held', 'unknown', 1])
  await begin()
  expect([claim(), proof()]).toEqual(['held', 'unknown'])
  await judge(auditor.id, ['auditor'])
  expect([claim(), proof()]).toEqual(['held', 'proven'])
})

test('a result that comes tells whose proof changed', async () => {
  await judge(owner.id, ['seeder', 'publisher', 'auditor'])
  expect(told.proved).toEqual([])
  const failed = [{ tag: tagOf(infoHash), piece: 0, since: now }]
  await graph.publish('a', auditKey(holder.id, 'ab'), { passedAt: 0, proven: '', failed })
  expect(told.proved).toEqual([infoHash])
  expect([claim(), proof()]).toEqual(['held', 'failed'])
})

test('a result that comes speaks of what is not public, too', async () => {
  await judge(owner.id, ['seeder', 'publisher', 'auditor'])
  const hidden = `ab${'cd'.repeat(19)}`
  await (await graphOf(holder)).publish('h', 'x/ab', { ...holdings, held: [hidden] })
  await begin()
  const failed = [{ tag: tagOf(hidden), piece: 0, since: now }]
  await graph.publish('a', auditKey(holder.id, 'ab'), { passedAt: 0, proven: '', failed })
  expect(told.proved).toEqual([hidden])
  expect(network?.index.stateOf(holder.id, hidden)).toBe('held')
})

test('the first word of an auditor moves whom others believe, so that every item is looked at', async () => {
  await judge(owner.id, ['seeder', 'publisher', 'auditor'])
  expect(told.moved).toBe(0)
  const nothing = { passedAt: now, proven: '', failed: [] }
  await graph.publish('a', auditKey(holder.id, 'cd'), nothing)
  expect(told).toEqual({ proved: [], moved: 1 })
  await graph.publish('a', auditKey(holder.id, 'ce'), nothing)
  expect(told.moved).toBe(1)
})
