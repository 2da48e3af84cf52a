import { candidate, EldernodeError, type Access, type Candidate, type CompatData } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ImportView } from '../imports/index.ts'
import type { Item } from '../library/index.ts'
import { Digm, type DigmOptions } from './digm.ts'
import { turnOf } from './turn.ts'

const self = 'A'.repeat(43)
const others = ['B', 'C', 'D'].map((letter) => letter.repeat(42) + 'A')
const standing = { zone: '', operator: '', state: 'active' as const, capacity: 1e12, free: 1e12 }
const hash = (n: number): string => ((n * 37) % 256).toString(16).padStart(2, '0') + n.toString(16).padStart(38, '0')
const magnet = (n: number): string => `magnet:?xt=urn:btih:${hash(n)}`

let nodes: Map<string, Record<string, CompatData>>
let watchers: ((soul: string) => void)[]
let imports: Map<string, ImportView & { wanted: object }>
let held: Map<string, Pick<Item, 'state' | 'access'>>
let access: Access | undefined
let live: Candidate[]
let quota: object | undefined
let full: boolean
let digm: Digm

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
  nodes = new Map()
  watchers = []
  imports = new Map()
  held = new Map()
  access = undefined
  live = [candidate(self, standing)]
  quota = undefined
  full = false
})

afterEach(async () => {
  await digm.close()
  vi.useRealTimers()
})

function build(settings: Partial<DigmOptions['settings']> = {}): Digm {
  digm = new Digm({
    self,
    settings: { accept: 'any', maxItemBytes: 1000, maxBytes: 5000, ...settings },
    maps: {
      put: (soul, data) => void nodes.set(soul, { ...nodes.get(soul), ...data }),
      get: (soul) => {
        if (soul !== 'seed-requests') return nodes.get(soul)
        const souls = [...nodes.keys()].filter((name) => name.startsWith('seed-requests/'))
        return Object.fromEntries(souls.map((name): [string, CompatData] => [name.slice(14), { '#': name }]))
      },
      watch: (_map, listener) => {
        watchers.push(listener)
        return () => {
          watchers = []
        }
      },
    },
    imports: {
      add: async (_kind, source, wanted) => {
        if (full) throw new EldernodeError('too_many_imports', 'no room')
        const id = String(imports.size)
        const view = { id, kind: 'magnet', source, owner: wanted.owner, state: 'running' as const, bytes: 0 }
        imports.set(id, { ...view, createdAt: 0, changedAt: 0, wanted })
        return imports.get(id)!
      },
      get: (id) => {
        const view = imports.get(id)
        if (view === undefined) throw new EldernodeError('import_not_found', id)
        return view
      },
    },
    library: {
      get: (infoHash) => held.get(infoHash) as Item | undefined,
      quotas: {
        get: () => ({}),
        set: (owner, set) => {
          quota = { owner, ...set }
        },
        usage: () => ({ bytes: 0, items: 0 }),
        owners: () => [],
        bytesOn: () => 0,
      },
    },
    replicas: { min: 1, target: 3 },
    network: { accessOf: () => access, candidates: () => live, publicItems: () => 7 },
    endpoint: () => 'http://node.example',
    log: pino({ level: 'silent' }),
    now: Date.now,
  })
  return digm
}

function end(n: number, state: ImportView['state']): ImportView {
  const view = { ...imports.get(String(n))!, state }
  imports.set(String(n), view)
  return view
}

function ask(n: number, more: Record<string, CompatData> = {}): void {
  const soul = `seed-requests/${n}`
  nodes.set(soul, { albumId: String(n), magnetURI: magnet(n), status: 'pending', ...more })
  for (const watcher of watchers) watcher(soul)
}

const status = (n: number): unknown => nodes.get(`seed-requests/${n}`)?.['status']
const wait = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

test('says every 15 s that it is there', async () => {
  build({ accept: 'off' }).start()
  const said = () => nodes.get(`eldernodes/${self}`)
  const first = { nodeId: self, endpoint: 'http://node.example', status: 'active', seedingCount: 7 }
  expect(said()).toEqual({ ...first, lastSeen: Date.now() })
  await wait(15_000)
  expect(said()?.['lastSeen']).toBe(Date.now())
  ask(1)
  await wait(10_000)
  expect(imports.size).toBe(0)
})

test('fetches what is asked for, within a quota of its own, and says how far it is', async () => {
  build().start()
  expect(quota).toMatchObject({ owner: 'digm', bytes: 5000 })
  ask(1)
  await wait(0)
  expect(status(1)).toBe('seeding')
  expect(imports.get('0')).toMatchObject({ source: magnet(1), wanted: { owner: 'digm', access: 'public' } })
  await wait(5_000)
  expect(status(1)).toBe('seeding')
  end(0, 'done')
  await wait(1_000)
  expect(nodes.get('seed-requests/1')).toMatchObject({ status: 'seeded', eldernode: self })
})

test('what is here already is seeded at once; what is not public is not here, and never becomes public', async () => {
  held.set(hash(1), { state: 'live', access: 'public' })
  held.set(hash(2), { state: 'live', access: 'unlisted' })
  build().start()
  ask(1)
  ask(2)
  await wait(2_000)
  access = 'private'
  ask(3)
  await wait(2_000)
  expect([status(1), status(2), status(3)]).toEqual(['seeded', 'pending', 'pending'])
  expect(imports.size).toBe(0)
})

test('a few at a time, none too large; one that failed is left alone for ten minutes', async () => {
  build().start()
  for (let n = 0; n < 6; n++) ask(n)
  await wait(3_000)
  expect(imports.size).toBe(4)
  expect(imports.get('0')?.wanted).toMatchObject({ maxBytes: 1000 })
  end(0, 'failed')
  await wait(2_000)
  expect([status(0), status(1)]).toEqual(['pending', 'seeding'])
  const before = imports.size
  for (let n = 0; n < 10; n++) ask(0)
  await wait(60_000)
  expect(imports.size).toBe(before)
  for (const id of imports.keys()) end(Number(id), 'done')
  await wait(600_000)
  ask(0)
  await wait(2_000)
  expect(status(0)).toBe('seeding')
})

test('what is no request is passed over, and so is one that could not be begun', async () => {
  build().start()
  ask(1, { magnetURI: 'http://127.0.0.1/' })
  ask(2, { magnetURI: `magnet:?xt=urn:btih:${'x'.repeat(9000)}` })
  ask(3, { magnetURI: 5 })
  ask(4, { status: 'seeded' })
  ask(5, { albumId: null })
  full = true
  ask(6)
  await wait(5_000)
  expect(imports.size).toBe(0)
  expect(status(6)).toBe('pending')
})

test('thousands of requests take no more memory than a thousand', async () => {
  build().start()
  for (let n = 0; n < 5_000; n++) ask(n)
  await wait(2_000)
  for (const id of imports.keys()) end(Number(id), 'done')
  let rounds = 0
  for (; rounds < 400 && imports.size < 1_004; rounds++) {
    await wait(1_000)
    for (const id of imports.keys()) end(Number(id), 'done')
  }
  await wait(5_000)
  expect(imports.size).toBeLessThanOrEqual(1_004)
})

test('of a thousand failures the oldest is forgotten first', async () => {
  build().start()
  full = true
  for (let n = 0; n <= 1_000; n++) {
    ask(n)
    await wait(0)
  }
  await wait(2_000)
  full = false
  for (const n of [1, 1_000, 0]) {
    ask(n)
    await wait(2_000)
  }
  expect([...imports.values()].map(({ source }) => source)).toEqual([magnet(0)])
})

test('the nearest member goes first; others follow only when it does not', async () => {
  live = [self, ...others].map((id) => candidate(id, standing))
  const turns = Array.from({ length: 40 }, (_, n) => turnOf(self, hash(n), live))
  expect(new Set(turns)).toEqual(new Set([0, 1, 2, 3]))
  const last = turns.indexOf(3)
  build().start()
  ask(last)
  await wait(85_000)
  expect(imports.size).toBe(0)
  await wait(10_000)
  expect(imports.size).toBe(1)
  const second = turns.indexOf(1)
  ask(second)
  await wait(20_000)
  ask(second, { status: 'seeding' })
  await wait(60_000)
  expect(imports.size).toBe(1)
})

test('only what is asked with a token counts where strangers are not heard', async () => {
  build({ accept: 'members' }).start()
  ask(1)
  await wait(5_000)
  expect(imports.size).toBe(0)
  digm.asked('seed-requests/1')
  digm.asked('albums/1')
  await wait(0)
  expect(status(1)).toBe('seeding')
})

test('after a restart what was begun is seeded, or asked for anew', async () => {
  held.set(hash(1), { state: 'live', access: 'public' })
  ask(1, { status: 'seeding', eldernode: self })
  ask(2, { status: 'seeding', eldernode: self })
  ask(3, { status: 'seeding', eldernode: 'another' })
  ask(4)
  build().start()
  await wait(2_000)
  expect([1, 2, 3, 4].map(status)).toEqual(['seeded', 'seeding', 'seeding', 'seeding'])
  expect([...imports.values()].map(({ source }) => source)).toEqual([magnet(2), magnet(4)])
})
