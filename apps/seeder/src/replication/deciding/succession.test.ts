import { WebIdentity, WebVerifier } from '@eldernode/core'
import type { Certificate, Grant, Manifest, NodeId } from '@eldernode/core'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { manifestOf } from '@eldernode/core/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Publications } from './publications.ts'
import { Succession } from './succession.ts'

const hash = (n: number): string => n.toString(16).padStart(40, '0')
const reader = (n: number): string => n.toString(16).padStart(32, '0')
const sealed = { format: 'age' as const, recipient: `age1${'q'.repeat(58)}` }

let store: MemoryGraphStore
let now: number
/** The owner's node is the successor; the others lose their keys. */
let self: WebIdentity
let lost: WebIdentity
let older: WebIdentity
let graphs: Map<WebIdentity, Graph>
let publications: Publications
let succession: Succession
let changed: string[]

const graphOf = (identity: WebIdentity): Graph => graphs.get(identity)!
const publish = (by: WebIdentity, n: number, more: Partial<Manifest> = {}) =>
  graphOf(by).publish('m', hash(n), manifestOf(hash(n), more))
const own = (n: number): Manifest | undefined => graphOf(self).get('m', self.id, hash(n))?.body
const grant = (by: WebIdentity, n: number, to: number, wrapped?: string) => {
  const given: Grant = { infoHash: hash(n), reader: reader(to), ...(wrapped !== undefined && { wrapped }) }
  return graphOf(by).publish('g', `${hash(n)}.${reader(to)}`, given)
}
const spoken = (n: number, to: number) => graphOf(self).get('g', self.id, `${hash(n)}.${reader(to)}`)?.body
const granted = (n: number, to: number) => spoken(n, to)?.wrapped

async function name(member: NodeId, successor: NodeId, more: Partial<Certificate> = {}): Promise<void> {
  const rest = { operator: '', issuedAt: now, expiresAt: now + 1e9 }
  await graphOf(self).publish('p', member, { member, roles: [], successor, ...rest, ...more })
}

async function settle(): Promise<void> {
  succession.run()
  await succession.idle()
}

function begin(): void {
  changed = []
  publications = new Publications({ self: self.id, graph: graphOf(self), now: () => now })
  for (const { id } of [lost, older]) publications.learn(id)
  succession = new Succession({
    self: self.id,
    graph: graphOf(self),
    publications,
    changed: (infoHash) => {
      changed.push(infoHash)
      publications.refresh(infoHash)
    },
    log: pino({ level: 'silent' }),
  })
}

beforeEach(async () => {
  now = 1_800_000_000_000
  store = new MemoryGraphStore()
  ;[self, lost, older] = await Promise.all([WebIdentity.generate(), WebIdentity.generate(), WebIdentity.generate()])
  graphs = new Map()
  for (const identity of [self, lost, older]) {
    const graph = createGraph({
      network: { owner: self.id, open: true },
      identity,
      ...(identity === self && { owner: self }),
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
    graphs.set(identity, graph)
  }
  begin()
})

afterEach(async () => {
  await succession.close()
  await Promise.all([...graphs.values()].map((graph) => graph.close()))
})

test('what a lost key published is published anew by its successor, once', async () => {
  await publish(lost, 1)
  await publish(lost, 2, { access: 'unlisted', tags: ['a'] })
  await publish(lost, 3, { state: 'retracted' })
  await publish(lost, 4, { expiresAt: now - 1 })
  await publish(lost, 5)
  await graphOf(self).publish('d', hash(5), { infoHash: hash(5), state: 'denied' })
  succession.open()
  await succession.idle()
  expect(own(1)).toBeUndefined()
  await name(lost.id, self.id)
  await settle()
  expect(own(1)).toEqual(manifestOf(hash(1)))
  expect(own(2)).toEqual(manifestOf(hash(2), { access: 'unlisted', tags: ['a'] }))
  expect([own(3), own(4), own(5)]).toEqual([undefined, undefined, undefined])
  expect(publications.demands.get(hash(1))?.publishers).toEqual([self.id])
  const { ts } = graphOf(self).get('m', self.id, hash(1))!
  now += 1000
  await settle()
  expect(graphOf(self).get('m', self.id, hash(1))?.ts).toBe(ts)
})

test('nothing is published before the links have told what this node published before', async () => {
  await publish(lost, 1)
  await name(lost.id, self.id)
  await settle()
  expect(own(1)).toBeUndefined()
  expect(changed).toEqual([hash(1)])
  expect(publications.demands.get(hash(1))?.publishers).toEqual([self.id])
  succession.open()
  await succession.idle()
  expect(own(1)).toBeDefined()
})

test("the successor's own word stands instead, whatever the lost key said", async () => {
  await publish(self, 1, { state: 'retracted' })
  await publish(lost, 1)
  expect(publications.published(hash(1))?.publisher).toBe(lost.id)
  await name(lost.id, self.id)
  succession.open()
  await succession.idle()
  expect(own(1)?.state).toBe('retracted')
  expect(publications.published(hash(1))).toBeUndefined()
  expect(publications.demands.get(hash(1))).toBeUndefined()
})

test('a key that was lost after it had succeeded another is followed to the last', async () => {
  await publish(older, 1)
  await publish(lost, 2)
  await name(older.id, lost.id)
  succession.open()
  await succession.idle()
  expect(publications.demands.get(hash(1))?.publishers).toEqual([lost.id])
  expect(own(1)).toBeUndefined()
  changed = []
  await name(lost.id, self.id)
  await settle()
  expect([own(1), own(2)]).toEqual([manifestOf(hash(1)), manifestOf(hash(2))])
  expect(changed).toEqual(expect.arrayContaining([hash(1), hash(2)]))
})

test('a manifest that comes later than the word that its key is lost is taken over too', async () => {
  await name(lost.id, self.id)
  succession.open()
  await succession.idle()
  await publish(lost, 1)
  succession.published(lost.id, hash(1))
  await succession.idle()
  expect(own(1)).toBeDefined()
  await publish(older, 2)
  succession.published(older.id, hash(2))
  await succession.idle()
  expect(own(2)).toBeUndefined()
})

test('readers of encrypted items stay readers; who was one no more does not become one again', async () => {
  await publish(lost, 1, { encryption: sealed })
  await grant(lost, 1, 1, 'AAAA')
  await grant(lost, 1, 2, 'BBBB')
  await grant(lost, 1, 2)
  await name(lost.id, self.id)
  succession.open()
  await succession.idle()
  expect([granted(1, 1), spoken(1, 2)]).toEqual(['AAAA', undefined])
  await grant(self, 1, 1)
  await grant(lost, 1, 3, 'CCCC')
  await settle()
  expect([granted(1, 1), granted(1, 3)]).toEqual([undefined, 'CCCC'])
})

test('grants that a stop cut short follow', async () => {
  await publish(lost, 1, { encryption: sealed })
  await grant(lost, 1, 1, 'AAAA')
  await publish(self, 1, { encryption: sealed })
  await name(lost.id, self.id)
  succession.open()
  await succession.idle()
  expect(granted(1, 1)).toBe('AAAA')
})

test('of many items none is left out, and a word that is taken back gives them back', async () => {
  const numbers = Array.from({ length: 150 }, (_, n) => n + 1)
  for (const n of numbers) await publish(lost, n)
  await name(lost.id, older.id)
  await settle()
  expect(new Set(changed).size).toBe(150)
  expect(publications.demands.get(hash(7))?.publishers).toEqual([older.id])
  await name(lost.id, self.id)
  succession.open()
  await succession.idle()
  expect(numbers.filter((n) => own(n) === undefined)).toEqual([])
})
