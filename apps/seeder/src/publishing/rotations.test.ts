import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Accepted, type Bodies, type Graph, type Kind, newItemIdentity } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Encryption } from '../encryption/index.ts'
import { createHashing, createIngest } from '../ingest/index.ts'
import { openAgeIdentity } from '../keys/index.ts'
import { type Library, openLibrary } from '../library/index.ts'
import { publish } from './publish.ts'
import type { RotationServices } from './rotate.ts'
import { Rotations } from './rotations.ts'
import { Turns } from '../turns.ts'

const id = 'p'.repeat(43)
const day = 86_400_000
const patience = { timeout: 20_000, interval: 20 }
let now: number
let folder: string
let library: Library
let services: RotationServices
let rotations: Rotations
let values: Map<string, Accepted>
/** Kinds that cannot be published right now. */
let refused: Set<Kind>
let ends: (() => unknown)[]
const log = pino({ level: 'silent' })

/** As much of a graph as one publisher needs. */
const graph: Pick<Graph, 'get' | 'publish'> = {
  get: <K extends Kind>(kind: K, _pub: string, key: string) =>
    values.get(`${kind} ${key}`) as Accepted<Bodies[K]> | undefined,
  publish: async (kind, key, body) => {
    if (refused.has(kind)) throw new Error(`no ${kind} now`)
    const value = { kind, pub: id, ts: now, soul: '', key, hidden: true, body }
    values.set(`${kind} ${key}`, value)
    return value
  },
}

beforeEach(async () => {
  now = 1_800_000_000_000
  values = new Map<string, Accepted>()
  refused = new Set<Kind>()
  ends = []
  folder = await mkdtemp(join(tmpdir(), 'eldernode-rotations-'))
  const hashing = createHashing()
  library = await openLibrary({ folder, digest: hashing.digest, now: () => now })
  ends.push(
    () => library.close(),
    () => hashing.close(),
  )
  const own = await openAgeIdentity(join(folder, 'age.key'))
  services = {
    id,
    library,
    graph,
    turns: new Turns(),
    trackers: [],
    purgeAfterMs: day,
    now: () => now,
    ingest: createIngest({ hashing, stage: () => library.stage(), maxItemBytes: 1e9 }),
    encryption: new Encryption({ id, own, library, graph }),
    swarm: { seed: () => undefined, remove: async () => undefined },
    replication: {
      claim: async () => undefined,
      touch: () => undefined,
      isPublished: (infoHash) => graph.get('m', id, infoHash)?.body.state === 'live',
    },
    quotas: { admit: () => ({ take: () => undefined, end: () => undefined }) },
    retentionChanged: () => undefined,
    describe: () => undefined,
  }
  start()
})

afterEach(async () => {
  await rotations.close()
  for (const end of ends) await end()
  await rm(folder, { recursive: true })
})

function start(): void {
  rotations = new Rotations({ services, log })
}

async function published(text = 'content', readers: string[] = []) {
  async function* bytes() {
    yield Buffer.from(text)
  }
  async function* files() {
    yield { path: 'a.txt', bytes: bytes() }
  }
  const upload = { owner: 'anna', access: 'private' as const, replicas: { min: 1, target: 1 }, encrypt: { readers } }
  return (await publish(services, files(), { ...upload, signal: new AbortController().signal })).item
}

const isLive = (infoHash: string) => graph.get('m', id, infoHash)?.body.state === 'live'
const grants = () => [...values.keys()].filter((key) => key.startsWith('g '))
const liveItems = () => [...library.all()].filter(({ state }) => state === 'live')

test('an item is rotated when it is due, and its successor again', async () => {
  const item = await published()
  rotations.schedule(item.infoHash, 7 * day)
  rotations.start()
  await vi.waitUntil(() => library.keys.unpublished(1).length === 0, patience)
  expect(liveItems().map(({ infoHash }) => infoHash)).toEqual([item.infoHash])
  const seen = new Set([item.infoHash])
  for (let round = 0; round < 2; round++) {
    now += 7 * day
    await rotations.close()
    start()
    rotations.start()
    const successor = await vi.waitUntil(() => liveItems().find(({ infoHash }) => !seen.has(infoHash)), {
      ...patience,
    })
    await vi.waitUntil(() => liveItems().length === 1, patience)
    seen.add(successor.infoHash)
    expect(successor.about).toMatchObject({ replaces: [...seen].at(-2) })
    expect(library.keys.get(successor.infoHash)).toMatchObject({ rotateEvery: 7 * day, rotateAt: now + 7 * day })
    expect(await services.encryption.reveal(successor)).toMatchObject({ name: 'a.txt' })
  }
  expect([...seen].map(isLive)).toEqual([false, false, true])
})

test('a schedule that comes due while it runs is kept', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    rotations.start()
    const item = await published()
    rotations.schedule(item.infoHash, 30_000)
    now += 30_000
    await vi.advanceTimersByTimeAsync(30_000)
    vi.useRealTimers()
    await vi.waitUntil(() => !isLive(item.infoHash), patience)
    expect(liveItems()).toHaveLength(1)
  } finally {
    vi.useRealTimers()
  }
})

test('a stop between the successor and the retraction is made up for, once', async () => {
  const item = await published()
  const retracting = vi.spyOn(services.library, 'retract').mockImplementationOnce(() => {
    throw new Error('the power is gone')
  })
  await expect(rotations.rotate(item)).rejects.toThrow('the power is gone')
  retracting.mockRestore()
  expect(liveItems()).toHaveLength(2)
  rotations.start()
  await vi.waitUntil(() => liveItems().length === 1, patience)
  expect(liveItems()[0]?.about.replaces).toBe(item.infoHash)
  expect(library.keys.replaced()).toEqual([])
})

test('grants that could not be published follow later, and not before the manifest', async () => {
  const reader = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
  refused.add('g')
  await expect(published('x', [reader])).rejects.toThrow('no g now')
  const [item] = liveItems()
  refused.clear()
  const manifest = values.get(`m ${item?.infoHash}`)
  values.delete(`m ${item?.infoHash}`)
  await services.encryption.grants.publishRest((_, error) => expect.fail(String(error)))
  expect(grants()).toEqual([])
  if (manifest !== undefined) values.set(`m ${item?.infoHash}`, manifest)
  rotations.start()
  await vi.waitUntil(() => grants().length === 2, patience)
  expect(library.keys.unpublished(10)).toEqual([])
})

test('one that fails is tried again an hour later, and holds no other up', async () => {
  const [broken, fine] = [await published('one'), await published('two')]
  const path = library.blobPath(broken.files[0]?.sha256 ?? '')
  await rm(path)
  for (const { infoHash } of [broken, fine]) rotations.schedule(infoHash, day)
  now += day
  rotations.start()
  await vi.waitUntil(() => !isLive(fine.infoHash), patience)
  await vi.waitUntil(() => (library.keys.get(broken.infoHash)?.rotateAt ?? 0) > now, patience)
  expect(library.keys.get(broken.infoHash)).toMatchObject({ rotateEvery: day, rotateAt: now + 3_600_000 })
  expect(isLive(broken.infoHash)).toBe(true)
})

test('an item whose identity is gone holds up no grant and no retraction of others, and is in the log once', async () => {
  const items = [await published('one'), await published('two'), await published('three'), await published('four')]
  const [lost, fine, replaced] = items.toSorted((a, b) => (a.infoHash < b.infoHash ? -1 : 1))
  if (lost === undefined || fine === undefined || replaced === undefined) throw new Error('they were not published')
  const retracting = vi.spyOn(library, 'retract').mockImplementationOnce(() => {
    throw new Error('the power is gone')
  })
  await expect(rotations.rotate(replaced)).rejects.toThrow('the power is gone')
  retracting.mockRestore()
  const recipients = await Promise.all(Array.from({ length: 2 }, async () => (await newItemIdentity()).recipient))
  for (const recipient of recipients) {
    library.keys.setReader(lost.infoHash, { recipient, state: 'wanted' })
    library.keys.setReader(fine.infoHash, { recipient, state: 'wanted' })
  }
  const record = library.record.bind(library)
  const losing = vi
    .spyOn(library, 'record')
    .mockImplementation((name) => (name === lost.infoHash ? undefined : record(name)))
  const said = vi.spyOn(log, 'error')
  try {
    rotations.start()
    await vi.waitUntil(() => library.keys.replaced().length === 0, patience)
    expect(new Set(library.keys.unpublished(10).map(({ infoHash }) => infoHash))).toEqual(new Set([lost.infoHash]))
    library.keys.schedule(fine.infoHash, { every: day, at: now })
    rotations.start()
    await vi.waitUntil(() => !isLive(fine.infoHash), patience)
    expect(said.mock.calls).toEqual([[expect.objectContaining({ infoHash: lost.infoHash }), expect.any(String)]])
  } finally {
    await rotations.close()
    losing.mockRestore()
    said.mockRestore()
  }
})

test('readers beyond one page of an item are published in the same round', async () => {
  const item = await published('many')
  const readers = await Promise.all(Array.from({ length: 520 }, async () => (await newItemIdentity()).recipient))
  for (const recipient of readers) library.keys.setReader(item.infoHash, { recipient, state: 'wanted' })
  await services.encryption.grants.publishRest((_, error) => expect.fail(String(error)))
  expect(library.keys.unpublished(1)).toEqual([])
  expect(grants()).toHaveLength(521)
})
