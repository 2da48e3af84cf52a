import { auditKey, HolderIndex, packTags, ProofIndex, tagOf, WebIdentity, WebVerifier } from '@eldernode/core'
import type { AuditResult, Certificate, Role } from '@eldernode/core'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Hearsay } from './hearsay.ts'
import { Trust } from './trust.ts'

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
let index: HolderIndex
let proofs: ProofIndex
let trust: Trust
let told: { proved: string[]; changed: number; forgotten: string[] }

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
  index = new HolderIndex()
  proofs = new ProofIndex()
  told = { proved: [], changed: 0, forgotten: [] }
  const idle = { waiting: () => [], hurry: () => false }
  const hearsay = new Hearsay({
    self: owner.id,
    index,
    transfers: idle,
    mending: idle,
    believes: (node) => trust.believes(node),
    changed: () => {},
  })
  trust = new Trust({
    self: owner.id,
    graph,
    proofs,
    learn: (said) => hearsay.learn(said),
    forget: (node) => {
      told.forgotten.push(node)
      index.forget(node)
    },
    proved: (tags) => told.proved.push(...tags),
    changed: () => told.changed++,
  })
  closing.push(await trust.start())
  for (const said of graph.entries('h')) hearsay.learn(said)
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
  await Promise.all(closing.map((close) => close()))
})

const state = () => [index.stateOf(holder.id, infoHash), proofs.proofOf(holder.id, infoHash, now)]

test('what members said before this node began counts', () => {
  expect(state()).toEqual(['held', 'proven'])
})

test('of a revoked holder nothing counts, and all of it again when it is a member again', async () => {
  await certify(holder.id, [])
  await trust.refresh()
  expect([state()[0], told.forgotten, told.changed]).toEqual([undefined, [holder.id], 1])
  await trust.refresh()
  expect(told.changed).toBe(1)
  await begin()
  expect(state()[0]).toBeUndefined()
  await certify(holder.id, ['seeder'])
  await trust.refresh()
  expect(state()).toEqual(['held', 'proven'])
  expect(told.changed).toBe(1)
})

test('a certificate that expires is one that is gone', async () => {
  await certify(holder.id, ['seeder'], { expiresAt: now + 1000 })
  await trust.refresh()
  expect(state()[0]).toBe('held')
  now += 1000
  await trust.refresh()
  expect(state()[0]).toBeUndefined()
})

test('a member without the role of a holder holds nothing that counts', async () => {
  await certify(holder.id, ['publisher', 'auditor'])
  await begin()
  expect(state()[0]).toBeUndefined()
})

test('of a revoked auditor no result counts, and all of them again when it audits again', async () => {
  await certify(auditor.id, ['seeder'])
  await trust.refresh()
  expect(state()).toEqual(['held', 'unknown'])
  expect(told.changed).toBe(1)
  await begin()
  expect(state()).toEqual(['held', 'unknown'])
  await certify(auditor.id, ['auditor'])
  await trust.refresh()
  expect(state()).toEqual(['held', 'proven'])
})

test('a result that comes tells whose proof changed', async () => {
  await certify(owner.id, ['seeder', 'publisher', 'auditor'])
  await trust.refresh()
  expect(told.proved).toEqual([])
  const failed = [{ tag: tagOf(infoHash), piece: 0, since: now }]
  await graph.publish('a', auditKey(holder.id, 'ab'), { passedAt: 0, proven: '', failed })
  expect(told.proved).toEqual([tagOf(infoHash)])
  expect(state()).toEqual(['held', 'failed'])
})
