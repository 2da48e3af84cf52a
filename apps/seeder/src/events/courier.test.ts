import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Egress } from '../egress/index.ts'
import { type Library, openLibrary } from '../library/index.ts'
import type { Permits } from './audience.ts'
import { backoffMs, Courier } from './courier.ts'
import { Journal } from './journal.ts'
import type { EventType } from './port.ts'
import { Receiver } from './testing/receiver.ts'
import { type Asker, Webhooks } from './webhooks.ts'

const admin: Asker = { owner: '', admin: true }
const ann: Asker = { owner: 'ann', admin: false }
const log = { warn: () => undefined, error: () => undefined }

let folder: string
let library: Library
let receiver: Receiver
let egress: Egress
let journal: Journal
let courier: Courier
let webhooks: Webhooks
let time = 1_700_000_000_000
let permitted: Set<string>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-events-'))
  library = await openLibrary({ folder, digest: async () => ({ sha256: '', size: 0 }) })
  receiver = await Receiver.open()
  permitted = new Set([' events:read', ' node:admin', 'ann events:read'])
  open(true)
})

afterEach(async () => {
  await stop()
  await receiver.close()
  library.close()
  await rm(folder, { recursive: true })
})

function open(allowPrivate: boolean): void {
  egress = new Egress({ allowPrivate, allowedOrigins: [] })
  journal = new Journal({ store: library.events, log })
  const { dispatcher } = egress
  const store = library.webhooks
  const permits: Permits = (owner, scope) => permitted.has(`${owner} ${scope}`)
  const now = () => time
  courier = new Courier({ node: 'test', store, journal, dispatcher, permits, log, now, random: () => 0 })
  webhooks = new Webhooks({ store, journal, nudge: (id) => courier.nudge(id), permits, now })
  courier.start()
}

async function stop(): Promise<void> {
  await courier.close()
  journal.close()
  await egress.close()
}

function create(asker: Asker = admin, types: EventType[] = []): string {
  return webhooks.create(asker, { url: `${receiver.url}/hook`, types, label: '', active: true }).id
}

function emit(more: { type?: EventType; owner?: string; access?: 'public' | 'private' } = {}): void {
  journal.emit({ type: 'published', infoHash: 'a'.repeat(40), owner: '', access: 'public', at: time, ...more })
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 })
const pass = (ms: number, id: string) => {
  time += ms
  courier.nudge(id)
}

test('events come in order, each once', async () => {
  const id = create()
  for (let i = 0; i < 30; i++) emit()
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(30))
  expect(receiver.events).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
})

test('one that is not taken is sent again, later and later, with the same id, while others go on', async () => {
  receiver.answer = ({ body }) => (body.includes('"event":1,') ? 500 : 204)
  const id = create()
  emit()
  emit()
  await settled(() => expect(library.webhooks.deliveries(id, 9)).toHaveLength(1))
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(1))
  expect(library.webhooks.deliveries(id, 9)).toEqual([{ event: 1, attempts: 1, nextAt: time + 5000 }])
  const tries = () => receiver.received.filter(({ body }) => body.includes('"event":1,'))
  for (const [n, wait] of backoffMs.entries()) {
    pass(wait - 1, id)
    expect(tries()).toHaveLength(n + 1)
    pass(1, id)
    await settled(() => expect(tries()).toHaveLength(n + 2))
    await settled(() => expect(library.webhooks.deliveries(id, 9)[0]?.attempts).toBe(backoffMs[n + 1] && n + 2))
  }
  expect(new Set(tries().map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['msg_test_1']))
  expect(webhooks.get(admin, id)).toMatchObject({ delivered: 1, givenUp: 1, lastOutcome: 'answered 500', active: true })
  expect(library.webhooks.pending(id)).toBe(0)
})

test('what waits outlives a restart, and so does what happened meanwhile', async () => {
  receiver.answer = () => 503
  const id = create()
  emit()
  await settled(() => expect(library.webhooks.pending(id)).toBe(1))
  await courier.close()
  emit()
  await stop()
  receiver.answer = () => 200
  open(true)
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(1))
  pass(5000, id)
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(2))
  expect(receiver.events).toEqual([1, 2, 1])
})

test('who takes nothing is asked a bounded number of times', async () => {
  receiver.answer = () => 500
  const id = create()
  for (let i = 0; i < 130; i++) emit()
  await settled(() => expect(library.webhooks.pending(id)).toBe(100))
  emit()
  await settled(() => expect(journal.newest()).toBe(131))
  expect(receiver.received).toHaveLength(100)
  receiver.answer = () => 200
  pass(5000, id)
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(131))
})

test('410 ends a webhook; made active again it hears of what happens from then on', async () => {
  receiver.answer = () => 410
  const id = create()
  emit()
  await settled(() => expect(webhooks.get(admin, id).active).toBe(false))
  emit()
  await settled(() => expect(journal.newest()).toBe(2))
  receiver.answer = () => 200
  webhooks.change(admin, id, { url: `${receiver.url}/new`, types: [], label: 'again', active: true })
  emit()
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(1))
  expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/new'])
  expect(receiver.events).toEqual([1, 3])
})

test("an owner's webhook hears of its own items and public ones, of imports its own; the operator's of all", async () => {
  const [hers, all] = [create(ann), create()]
  emit({ access: 'private', owner: 'bob' })
  emit({ access: 'private', owner: 'ann' })
  emit({ access: 'public', owner: 'bob' })
  emit({ type: 'import.done', access: 'public', owner: 'bob' })
  emit({ type: 'import.done', access: 'public', owner: 'ann' })
  await settled(() => expect(webhooks.get(admin, all).delivered).toBe(5))
  await settled(() => expect(webhooks.get(ann, hers).delivered).toBe(3))
  const bodies = receiver.received.map(({ body }) => JSON.parse(body) as { data: { event: number; owner?: string } })
  const hersOnly = [2, 3, 5].flatMap((event) => bodies.filter(({ data }) => data.event === event))
  expect(hersOnly).toHaveLength(6)
  // Whose a public item of another is, is not hers to know.
  const owners = bodies.filter(({ data }) => data.event === 3).map(({ data }) => data.owner ?? 'not told')
  expect(new Set(owners)).toEqual(new Set(['bob', 'not told']))
})

test('types that were not asked for are passed over', async () => {
  const id = create(admin, ['retracted'])
  for (let i = 0; i < 250; i++) emit()
  emit({ type: 'retracted' })
  await settled(() => expect(webhooks.get(admin, id).delivered).toBe(1))
  expect(receiver.events).toEqual([251])
})

test('a redirect is not followed, and a private address is not asked', async () => {
  receiver.answer = ({ path }) =>
    path === '/hook' ? { status: 302, headers: { location: `${receiver.url}/elsewhere` } } : 200
  const id = create()
  emit()
  await settled(() => expect(webhooks.get(admin, id).lastOutcome).toBe('answered 302'))
  expect(receiver.received.map(({ path }) => path)).toEqual(['/hook'])
  await stop()
  open(false)
  pass(5000, id)
  await settled(() => expect(webhooks.get(admin, id).lastOutcome).toMatch(/private, loopback or link-local/))
  expect(receiver.received).toHaveLength(1)
})

test('webhooks are bounded in number, and others find none of them', () => {
  const id = create(ann)
  for (let i = 1; i < 20; i++) create(ann)
  expect(() => create(ann)).toThrow(/has 20 webhooks/)
  const bob: Asker = { owner: 'bob', admin: false }
  for (const ask of [() => webhooks.get(bob, id), () => webhooks.delete(bob, id)]) expect(ask).toThrow(/no webhook/)
  expect([webhooks.list(bob), webhooks.list(ann).length, webhooks.list(admin).length]).toEqual([[], 20, 20])
  webhooks.delete(ann, id)
  expect(webhooks.list(ann)).toHaveLength(19)
})

test('nothing is sent for an owner whose tokens expired; with a new one it goes on where it was', async () => {
  receiver.answer = () => 500
  const [hers, all] = [create(ann), create()]
  emit()
  await settled(() => expect([hers, all].map((id) => library.webhooks.pending(id))).toEqual([1, 1]))
  permitted.delete('ann events:read')
  receiver.answer = () => 200
  emit()
  pass(5000, hers)
  courier.nudge(all)
  await settled(() => expect(webhooks.get(admin, all).delivered).toBe(2))
  expect(webhooks.get(ann, hers)).toMatchObject({ active: true, delivered: 0 })
  expect(receiver.received).toHaveLength(4)
  permitted.add('ann events:read')
  webhooks.resume('ann')
  await settled(() => expect(webhooks.get(ann, hers).delivered).toBe(2))
})

test("a revoked token takes its owner's webhooks with it, an administrator's the one that hears of everything", async () => {
  permitted.add('ann node:admin')
  receiver.answer = () => 500
  const [hers, all, everything] = [create(ann), create(), create({ owner: 'ann', admin: true })]
  const pending = () => [hers, all, everything].map((id) => library.webhooks.pending(id))
  const active = () => [hers, all, everything].map((id) => webhooks.get(admin, id).active)
  emit()
  await settled(() => expect(pending()).toEqual([1, 1, 1]))
  permitted.delete('ann node:admin')
  webhooks.revoke('ann')
  expect([pending(), active()]).toEqual([
    [1, 1, 0],
    [true, true, false],
  ])
  permitted.delete('ann events:read')
  webhooks.revoke('ann')
  webhooks.revoke('')
  expect([pending(), active()]).toEqual([
    [0, 1, 0],
    [false, true, false],
  ])
  receiver.answer = () => 200
  permitted.add('ann events:read')
  webhooks.change(ann, hers, { url: `${receiver.url}/again`, types: [], label: '', active: true })
  emit()
  await settled(() => expect(webhooks.get(ann, hers).delivered).toBe(1))
  expect(receiver.received.filter(({ path }) => path === '/again').map(({ body }) => body)).toEqual([
    expect.stringContaining('"event":2'),
  ])
})

test('what fails while its token is revoked is not kept', async () => {
  const id = create(ann)
  receiver.answer = () => {
    permitted.clear()
    webhooks.revoke('ann')
    return 500
  }
  emit()
  await settled(() => expect(webhooks.get(admin, id)).toMatchObject({ active: false, givenUp: 1 }))
  expect(library.webhooks.pending(id)).toBe(0)
})
