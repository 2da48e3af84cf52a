import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { seal } from '../envelope/index.ts'
import { networkIdOf, WebIdentity, WebVerifier } from '../identity/index.ts'
import { manifestOf } from '../testing/bodies.ts'
import { socketPair } from '../testing/socket-pair.ts'
import type { Frame } from './frames.ts'
import { createGraph } from './graph.ts'
import { Handshake } from './handshake.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Graph, Socket } from './port.ts'

const hour = 3_600_000
const within = { timeout: 10_000, interval: 10 }
const secret = '5e'.repeat(20)
const secretManifest = manifestOf(secret, { access: 'unlisted', name: 'secret.mp4' })
const open = manifestOf('ac'.repeat(20))
const reader = '0f'.repeat(16)

let owner: WebIdentity
let net: string
let founder: { graph: Graph; identity: WebIdentity; store: MemoryGraphStore }
let graphs: Map<string, Graph>

beforeEach(async () => {
  owner = await WebIdentity.generate()
  net = networkIdOf(owner.id)
  graphs = new Map()
  founder = await node('founder', [], owner)
  await admit(founder.identity.id)
})

async function node(name: string, peers: string[], ownerKey?: WebIdentity) {
  const identity = await WebIdentity.generate()
  const store = new MemoryGraphStore()
  const graph = createGraph({
    network: { owner: owner.id },
    identity,
    ...(ownerKey !== undefined && { owner: ownerKey }),
    verifier: new WebVerifier(),
    store,
    dial: async (url) => {
      const [here, there] = socketPair()
      graphs.get(url)?.accept(there)
      return here
    },
    peers: peers.map((peer) => `ws://${peer}/gun`),
    onFault: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(() => graph.close())
  graphs.set(`ws://${name}/gun`, graph)
  await graph.start()
  return { graph, identity, store }
}

async function admit(member: string, expiresAt = Date.now() + hour): Promise<void> {
  const roles: ('publisher' | 'seeder')[] = ['publisher', 'seeder']
  await founder.graph.publish('p', member, { member, roles, operator: '', issuedAt: Date.now(), expiresAt })
}

interface Visitor {
  say(message: object): void
  heard: string[]
  frames(): Frame[]
}

/** A link to the founder of which every text is kept; with an identity it proves that key, as a node does. */
async function visit(identity?: WebIdentity): Promise<Visitor> {
  const [here, there]: [Socket, Socket] = socketPair()
  const heard: string[] = []
  const send = (message: object): void => here.send(JSON.stringify(message))
  const frames = (): Frame[] =>
    heard.map((text) => JSON.parse(text) as Frame).filter((message) => Object.hasOwn(message, 'en'))
  onTestFinished(() => here.terminate())
  founder.graph.accept(there)
  if (identity === undefined) {
    here.onMessage((text) => heard.push(text))
    send({ '#': 'hi', dam: '?', pid: 'stock' })
  } else {
    const handshake = new Handshake({ network: net, identity, verifier: new WebVerifier(), dialled: true, send })
    const proven = new Promise<void>((resolve, reject) => {
      here.onMessage((text) => {
        heard.push(text)
        const frame = JSON.parse(text) as Frame
        if (frame.en === 'hello') handshake.take(frame).then((step) => step && 'done' in step && resolve(), reject)
      })
    })
    handshake.begin()
    await proven
    await vi.waitUntil(() => frames().some(({ en }) => en === 'sums'), within)
  }
  return { say: send, heard, frames }
}

async function publishSecrets(): Promise<void> {
  await founder.graph.publish('m', secret, secretManifest)
  await founder.graph.publish('h', 'x/5e', { held: [secret], releasing: [], refused: [] })
  await founder.graph.publish('g', `${secret}.${reader}`, { infoHash: secret, reader, wrapped: 'AAAA' })
  await founder.graph.publish('d', secret, { infoHash: secret, state: 'denied' })
}

const soulsOfSecret = (): string[] => [
  `en1/${net}/x/m/${founder.identity.id}/5e`,
  `en1/${net}/x/h/${founder.identity.id}/5e`,
  `en1/${net}/x/g/${founder.identity.id}/5e`,
  `en1/${net}/x/d/5e`,
]
const keysOfSecret = (): string[] => [secret, 'h', `${secret}.${reader}`, secret]

/** All that a link can ask for. Ends once the answer to the last question is there. */
async function askEverything({ say, frames, heard }: Visitor, proven: boolean): Promise<void> {
  const souls = soulsOfSecret()
  for (const [i, soul] of souls.entries()) {
    say({ '#': `soul${i}`, get: { '#': soul } })
    say({ '#': `key${i}`, get: { '#': soul, '.': keysOfSecret()[i] } })
  }
  for (const soul of [`en1/${net}/x`, `en1/${net}/x/m`, `en1/${net}/x/m/${founder.identity.id}`]) {
    say({ '#': `up${soul.length}`, get: { '#': soul } })
  }
  if (proven) {
    say({ en: 'sums?' })
    say({ en: 'buckets?', n: 1, group: `x/${founder.identity.id}` })
    say({ en: 'buckets?', n: 2, group: 'x/owner' })
    say({ en: 'keys?', n: 3, souls })
    say({ en: 'values?', n: 4, values: souls.map((soul, i) => [soul, keysOfSecret()[i]]) })
    say({ en: 'values?', n: 5, values: [[`en1/${net}/m/${founder.identity.id}/ac`, open.infoHash]] })
    await vi.waitUntil(() => frames().some((frame) => frame.en === 'values' && frame.n === 5), within)
  } else {
    say({ '#': 'last', get: { '#': `en1/${net}/m/${founder.identity.id}/ac` } })
    await vi.waitUntil(() => heard.join('').includes(open.infoHash), within)
  }
}

const traces = (heard: string[]): string[] =>
  heard.filter((text) => [secret, 'secret.mp4', '/x/', '"x/', reader].some((trace) => text.includes(trace)))

test('a member reads what is not public, by sums and by gossip', async () => {
  await publishSecrets()
  const member = await node('member', ['founder'])
  await admit(member.identity.id)
  const pub = founder.identity.id
  await vi.waitFor(() => {
    expect(member.graph.get('m', pub, secret)).toMatchObject({ hidden: true, body: secretManifest })
    expect(member.graph.get('h', pub, 'x/5e')?.body.held).toEqual([secret])
    expect([...member.graph.grants(pub, secret)].map(({ body }) => body.reader)).toEqual([reader])
    expect(member.graph.get('d', '', secret)?.body.state).toBe('denied')
  }, within)
  expect(member.graph.get('h', pub, '5e')).toBeUndefined()
  const seen: string[] = []
  member.graph.watch('m', ({ key, hidden }) => hidden && seen.push(key))
  await founder.graph.publish('m', 'ad'.repeat(20), manifestOf('ad'.repeat(20), { access: 'private' }))
  await vi.waitFor(() => expect(seen).toEqual(['ad'.repeat(20)]), within)
})

describe('nothing of it is shown', () => {
  test.each([false, true])('to a link without membership, whatever it asks (with a proven key: %s)', async (proven) => {
    const visitor = await visit(proven ? await WebIdentity.generate() : undefined)
    await founder.graph.publish('m', open.infoHash, open)
    await publishSecrets()
    await askEverything(visitor, proven)
    expect(traces(visitor.heard)).toEqual([])
  })

  test('by what sums, buckets and keys a stranger is told: they are the same without it', async () => {
    await founder.graph.publish('m', open.infoHash, open)
    const told = async (): Promise<Frame[]> => {
      const visitor = await visit(await WebIdentity.generate())
      visitor.say({ en: 'buckets?', n: 1, group: founder.identity.id })
      visitor.say({ en: 'buckets?', n: 2, group: 'owner' })
      await vi.waitFor(() => expect(visitor.frames().filter(({ en }) => en === 'buckets')).toHaveLength(2), within)
      await vi.waitFor(() => expect(visitor.frames().some(({ en }) => en === 'sums')).toBe(true), within)
      const frames = visitor.frames().filter(({ en }) => en === 'sums' || en === 'buckets')
      return frames.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    }
    const before = await told()
    await publishSecrets()
    expect(await told()).toEqual(before)
  })

  test('to a member whose certificate has ended', async () => {
    const identity = await WebIdentity.generate()
    await admit(identity.id)
    const visitor = await visit(identity)
    await founder.graph.publish('m', open.infoHash, open)
    await vi.waitFor(() => expect(visitor.heard.join('')).toContain(open.infoHash), within)
    await admit(identity.id, Date.now() - 1)
    await publishSecrets()
    await askEverything(visitor, true)
    expect(traces(visitor.heard)).toEqual([])
  })

  test('a stranger that brings what a member signed is not heard, nor told whether it is there', async () => {
    await founder.graph.publish('m', open.infoHash, open)
    await publishSecrets()
    const [soul = ''] = soulsOfSecret()
    const entry = founder.store.get(soul, secret)!
    const stranger = await visit()
    const put = (state: number, value: string): object => ({
      '#': `put${state}`,
      put: { [soul]: { _: { '#': soul, '>': { [secret]: state } }, [secret]: value } },
    })
    stranger.say(put(entry.ts, entry.value))
    stranger.say(put(entry.ts + 1, 'x'))
    await askEverything(stranger, false)
    expect(stranger.heard.some((text) => text.includes('"@":"put'))).toBe(false)
    expect(founder.graph.stats().refused['hidden']).toBeGreaterThanOrEqual(2)
  })
})

test('a message of a member with both is said on to others in its public part only', async () => {
  const identity = await WebIdentity.generate()
  await admit(identity.id)
  const [stock, stranger] = [await visit(), await visit(await WebIdentity.generate())]
  const watched = await node('watching', ['founder'])
  await admit(watched.identity.id)
  await vi.waitFor(() => expect(watched.graph.stats().links[0]?.inSync).toBe(true), within)
  const signed = await Promise.all(
    [open, secretManifest].map(async (body) => {
      const value = await seal({ kind: 'm', network: net, ts: Date.now(), body }, identity)
      const branch = body.access === 'public' ? '' : 'x/'
      return { soul: `en1/${net}/${branch}m/${identity.id}/${body.infoHash.slice(0, 2)}`, key: body.infoHash, value }
    }),
  )
  const put = Object.fromEntries(
    signed.map(({ soul, key, value }) => {
      const { ts } = JSON.parse(value) as { ts: number }
      return [soul, { _: { '#': soul, '>': { [key]: ts } }, [key]: value }]
    }),
  )
  const member = await visit(identity)
  member.say({ '#': 'both', put })
  await vi.waitFor(() => {
    for (const { heard } of [stock, stranger]) expect(heard.join('')).toContain(open.infoHash)
    expect(watched.graph.get('m', identity.id, secret)).toBeDefined()
  }, within)
  for (const { heard } of [stock, stranger]) expect(traces(heard)).toEqual([])
  expect(founder.graph.stats().refused['hidden_out']).toBeUndefined()
})

describe('where a node puts what it publishes', () => {
  const place = ({ soul }: { soul: string }): string => soul.split('/').slice(2, -1).join('/').replace(/\/.*/, '')

  test('grants follow the manifest, and are hidden without one', async () => {
    const grant = { infoHash: open.infoHash, reader, wrapped: 'AAAA' }
    expect(place(await founder.graph.publish('g', `${open.infoHash}.${reader}`, grant))).toBe('x')
    await founder.graph.publish('m', open.infoHash, open)
    const later = await founder.graph.publish('g', `${open.infoHash}.${reader}`, grant)
    expect(place(later)).toBe('g')
    expect(founder.graph.get('g', founder.identity.id, `${open.infoHash}.${reader}`)).toEqual(later)
  })

  test('a denial tells nobody of an item that only members know', async () => {
    const deny = (infoHash: string) => founder.graph.publish('d', infoHash, { infoHash, state: 'denied' })
    await founder.graph.publish('m', open.infoHash, open)
    await founder.graph.publish('m', secret, secretManifest)
    expect((await deny(open.infoHash)).hidden).toBe(false)
    expect((await deny('ee'.repeat(20))).hidden).toBe(true)
    expect((await deny(secret)).hidden).toBe(true)
  })

  test('public and other items are told of in one order, whoever published them', async () => {
    const member = await node('member', ['founder'])
    await admit(member.identity.id)
    await vi.waitUntil(() => member.graph.admits(member.identity.id, 'publisher'), within)
    const published: { pub: string; infoHash: string }[] = []
    for (let n = 0; n < 60; n++) {
      const infoHash = ((n * 41) % 256).toString(16).padStart(2, '0').repeat(20)
      const { graph, identity } = n % 3 === 0 ? member : founder
      await graph.publish('m', infoHash, manifestOf(infoHash, { access: n % 4 < 2 ? 'public' : 'unlisted' }))
      published.push({ pub: identity.id, infoHash })
    }
    await vi.waitUntil(() => [...founder.graph.manifests()].length === 60, within)
    const ordered = published.toSorted((a, b) => (a.pub + a.infoHash < b.pub + b.infoHash ? -1 : 1))
    expect([...founder.graph.manifests()]).toEqual(ordered)
    const own = ordered.filter(({ pub }) => pub === member.identity.id)
    expect([...founder.graph.manifests({ pub: member.identity.id })]).toEqual(own)
  })

  test('of an item whose access changed the newer word counts, and it is named once', async () => {
    const { graph, identity } = founder
    const first = await graph.publish('m', secret, { ...secretManifest, access: 'public' })
    const second = await graph.publish('m', secret, secretManifest)
    expect(second.ts).toBeGreaterThan(first.ts)
    expect(graph.get('m', identity.id, secret)).toEqual(second)
    await graph.publish('m', open.infoHash, open)
    expect([...graph.manifests()]).toEqual([
      { pub: identity.id, infoHash: secret },
      { pub: identity.id, infoHash: open.infoHash },
    ])
  })
})
