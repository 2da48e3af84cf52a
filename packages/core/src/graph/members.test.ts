import { afterEach, expect, test } from 'vitest'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import type { Certificate } from '../membership/index.ts'
import { heartbeatOf, manifestOf } from '../testing/bodies.ts'
import { createGraph } from './graph.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Graph } from './port.ts'

const infoHash = 'ab'.repeat(20)
let graphs: Graph[] = []
let now = 1_800_000_000_000

afterEach(async () => {
  await Promise.all(graphs.map((graph) => graph.close()))
  graphs = []
})

async function graphOf(owner: WebIdentity, identity: WebIdentity, store: MemoryGraphStore, open = false) {
  const graph = createGraph({
    network: { owner: owner.id, open },
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
  await graph.start()
  graphs.push(graph)
  return graph
}

test('a graph says who is a member in which role, who runs it, and who speaks for a lost key', async () => {
  const [owner, other, heir] = await Promise.all([1, 2, 3].map(() => WebIdentity.generate()))
  if (owner === undefined || other === undefined || heir === undefined) throw new Error('no keys')
  const graph = await graphOf(owner, owner, new MemoryGraphStore())
  const certify = async (member: string, more: Partial<Certificate>): Promise<unknown> => {
    const certificate = { member, roles: ['seeder' as const], operator: '', issuedAt: now, expiresAt: now + 1000 }
    return await graph.publish('p', member, { ...certificate, ...more })
  }
  await certify(owner.id, { roles: ['seeder', 'auditor'] })
  await certify(other.id, { operator: 'them' })
  expect([...graph.members()].toSorted()).toEqual([owner.id, other.id].toSorted())
  expect([...graph.members('auditor')]).toEqual([owner.id])
  expect([graph.operatorOf(other.id), graph.operatorOf(owner.id)]).toEqual(['them', undefined])
  expect([graph.speakerOf(other.id), graph.speakerOf(heir.id)]).toEqual([other.id, heir.id])
  await certify(other.id, { roles: [], successor: heir.id })
  expect([[...graph.members()], graph.speakerOf(other.id)]).toEqual([[owner.id], heir.id])
  now += 1000
  expect([...graph.members()]).toEqual([])
})

test('members of an open network are those who have said anything', async () => {
  const [owner, other, third] = await Promise.all([1, 2, 3].map(() => WebIdentity.generate()))
  if (owner === undefined || other === undefined || third === undefined) throw new Error('no keys')
  const store = new MemoryGraphStore()
  await (await graphOf(owner, other, store, true)).publish('m', infoHash, manifestOf(infoHash))
  const graph = await graphOf(owner, third, store, true)
  expect([...graph.members('auditor')].toSorted()).toEqual([other.id, third.id].toSorted())
  const alone = await graphOf(owner, owner, new MemoryGraphStore(), true)
  await alone.publish('hb', '', heartbeatOf())
  expect([...alone.members()]).toEqual([owner.id])
})
