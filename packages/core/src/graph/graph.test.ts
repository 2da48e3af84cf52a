import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ClockError, seal } from '../envelope/index.ts'
import { InvalidInputError } from '../errors.ts'
import { networkIdOf, WebIdentity, WebVerifier } from '../identity/index.ts'
import type { Identity } from '../identity/index.ts'
import { heartbeatOf, manifestOf } from '../testing/bodies.ts'
import { socketPair } from '../testing/socket-pair.ts'
import { GraphClosedError, NotMemberError, NotOwnerError } from './errors.ts'
import { createGraph } from './graph.ts'
import type { GraphOptions } from './options.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Graph, GraphStore } from './port.ts'

const hash = (n: number): string =>
  n
    .toString(16)
    .padStart(40, '0')
    .replace(/^../, (n % 256).toString(16).padStart(2, '0'))
const hour = 3_600_000

interface Node {
  graph: Graph
  identity: WebIdentity
  store: GraphStore
}

/** A network whose nodes reach each other by name through sockets in memory. */
class Network {
  readonly owner: WebIdentity
  readonly nodes = new Map<string, Graph>()
  readonly faults: unknown[] = []

  constructor(owner: WebIdentity) {
    this.owner = owner
  }

  async node(name: string, peers: string[] = [], more: Partial<GraphOptions> = {}): Promise<Node> {
    const identity = await WebIdentity.generate()
    const store = more.store ?? new MemoryGraphStore()
    const graph = createGraph({
      network: { owner: this.owner.id },
      identity,
      verifier: new WebVerifier(),
      store,
      dial: async (url) => {
        const other = this.nodes.get(url)
        if (other === undefined) throw new Error(`nobody at ${url}`)
        const [here, there] = socketPair()
        other.accept(there)
        return here
      },
      peers: peers.map((peer) => `ws://${peer}/gun`),
      onFault: (error) => this.faults.push(error),
      ...more,
    })
    onTestFinished(() => graph.close())
    await graph.start()
    this.nodes.set(`ws://${name}/gun`, graph)
    return { graph, identity: (more.identity as WebIdentity | undefined) ?? identity, store }
  }

  /** A node that holds the owner's key and has admitted itself. */
  async founder(name: string): Promise<Node> {
    const node = await this.node(name, [], { owner: this.owner })
    await admit(node, node.identity)
    return node
  }
}

async function network(): Promise<Network> {
  return new Network(await WebIdentity.generate())
}

async function admit({ graph }: Node, member: Identity, roles: ('publisher' | 'seeder')[] = ['publisher', 'seeder']) {
  const now = Date.now()
  await graph.publish('p', member.id, { member: member.id, roles, operator: '', issuedAt: now, expiresAt: now + hour })
}

const count = (graph: Graph): number => [...graph.entries('m')].length
const within = { timeout: 20_000, interval: 10 }

describe('one node', () => {
  test('publishes durably, reads back, tells watchers, and survives a restart', async () => {
    const net = await network()
    const { graph, identity, store } = await net.founder('a')
    const seen: string[] = []
    graph.watch('m', ({ key }) => seen.push(key))
    const published = await graph.publish('m', hash(1), manifestOf(hash(1)))
    expect(store.get(published.soul, hash(1))?.ts).toBe(published.ts)
    expect(graph.get('m', identity.id, hash(1))).toEqual(published)
    expect([...graph.entries('m', identity.id)]).toEqual([published])
    expect(seen).toEqual([hash(1)])
    await graph.close()
    const again = await net.node('a', [], { identity, store, owner: net.owner })
    expect(again.graph.admits(identity.id, 'publisher')).toBe(true)
    expect(again.graph.get('m', identity.id, hash(1))).toEqual(published)
    const later = await again.graph.publish('m', hash(1), manifestOf(hash(1), { state: 'retracted' }))
    expect(later.ts).toBeGreaterThan(published.ts)
  })

  test('tells who published which item in order, and finds what may be retracted without reading the rest', async () => {
    const { graph, identity } = await (await network()).founder('a')
    const hashes = Array.from({ length: 450 }, (_, n) => hash(n)).toSorted()
    await Promise.all(hashes.map((infoHash) => graph.publish('m', infoHash, manifestOf(infoHash))))
    const own = hashes.map((infoHash) => ({ pub: identity.id, infoHash }))
    expect([...graph.manifests()]).toEqual(own)
    expect([...graph.manifests({ pub: identity.id })]).toEqual(own)
    expect([...graph.manifests({ pub: (await WebIdentity.generate()).id })]).toEqual([])
    expect([...graph.manifests({ retracted: true })]).toEqual([])
    const [one, two] = [hashes[3] ?? '', hashes[300] ?? '']
    await graph.publish('m', one, manifestOf(one, { state: 'retracted' }))
    await graph.publish('m', two, manifestOf(two, { name: '"state":"retracted"' }))
    expect([...graph.manifests({ retracted: true })]).toEqual([{ pub: identity.id, infoHash: one }])
    expect([...graph.manifests({ expiring: true })]).toEqual([])
    await graph.publish('m', two, manifestOf(two, { expiresAt: 2_000_000_000_000 }))
    expect([...graph.manifests({ expiring: true })]).toEqual([{ pub: identity.id, infoHash: two }])
    const bucket = two.slice(0, 2)
    const inBucket = own.filter(({ infoHash }) => infoHash.startsWith(bucket))
    expect([...graph.manifests({ pub: identity.id, bucket })]).toEqual(inBucket)
  })

  test('publications of one key in one millisecond rise strictly', async () => {
    const { graph, identity } = await (await network()).founder('a')
    const all = await Promise.all(
      [1, 2, 3, 4].map((n) => graph.publish('m', hash(1), manifestOf(hash(1), { createdAt: n }))),
    )
    const times = all.map(({ ts }) => ts)
    expect(new Set(times).size).toBe(4)
    expect(graph.get('m', identity.id, hash(1))?.ts).toBe(Math.max(...times))
  })

  test('says why it does not publish', async () => {
    const net = await network()
    const { graph } = await net.node('a')
    await expect(graph.publish('m', hash(1), manifestOf(hash(1)))).rejects.toThrow(NotMemberError)
    const founder = await net.founder('b')
    await expect(graph.publish('o', '1', { owner: founder.identity.id })).rejects.toThrow(NotOwnerError)
    await expect(founder.graph.publish('m', hash(2), manifestOf(hash(1)))).rejects.toThrow(InvalidInputError)
    await expect(founder.graph.publish('m', 'x', manifestOf(hash(1)))).rejects.toThrow(InvalidInputError)
    const big = manifestOf(hash(1), { reason: 'x'.repeat(201) })
    await expect(founder.graph.publish('m', hash(1), big)).rejects.toThrow(InvalidInputError)
    await founder.graph.close()
    await expect(founder.graph.publish('m', hash(1), manifestOf(hash(1)))).rejects.toThrow(GraphClosedError)
  })

  test('a clock behind its own values stops publication, also of other keys and after a restart', async () => {
    const net = await network()
    let now = Date.now()
    const founder = await net.node('a', [], { owner: net.owner, now: () => now })
    await admit(founder, founder.identity)
    now = Date.now() + 10 * 60_000
    await founder.graph.publish('m', hash(1), manifestOf(hash(1)))
    now = Date.now()
    await expect(founder.graph.publish('m', hash(2), manifestOf(hash(2)))).rejects.toThrow(ClockError)
    await founder.graph.close()
    const { identity, store } = founder
    const again = await net.node('a', [], { owner: net.owner, identity, store, now: () => now })
    await expect(again.graph.publish('m', hash(2), manifestOf(hash(2)))).rejects.toThrow(ClockError)
  })

  test('a store that fails fails the publication, and only that', async () => {
    const net = await network()
    const store = new MemoryGraphStore()
    const founder = await net.node('a', [], { owner: net.owner, store })
    await admit(founder, founder.identity)
    const upsert = vi.spyOn(store, 'upsert').mockImplementation(() => {
      throw new Error('disk full')
    })
    await expect(founder.graph.publish('m', hash(1), manifestOf(hash(1)))).rejects.toThrow('disk full')
    expect(founder.graph.get('m', founder.identity.id, hash(1))).toBeUndefined()
    upsert.mockRestore()
    await founder.graph.publish('m', hash(1), manifestOf(hash(1)))
    expect(net.faults).toHaveLength(1)
  })

  test('the owner may hand the network on, once', async () => {
    const net = await network()
    const { graph } = await net.founder('a')
    const next = await WebIdentity.generate()
    await graph.publish('o', '1', { owner: next.id })
    await expect(graph.publish('o', '1', { owner: net.owner.id })).rejects.toThrow(NotOwnerError)
    await expect(graph.publish('o', '2', { owner: net.owner.id })).rejects.toThrow(NotOwnerError)
  })

  test('a watcher that throws harms nobody', async () => {
    const net = await network()
    const { graph } = await net.founder('a')
    const seen: string[] = []
    graph.watch('m', () => {
      throw new Error('a bug')
    })
    const stop = graph.watch('m', ({ key }) => seen.push(key))
    await graph.publish('m', hash(1), manifestOf(hash(1)))
    stop()
    await graph.publish('m', hash(2), manifestOf(hash(2)))
    expect(seen).toEqual([hash(1)])
    expect(net.faults).toHaveLength(2)
  })
})

describe('several nodes', () => {
  test('a node joins, becomes a member by what it fetches, and its values reach all', async () => {
    const net = await network()
    const relay = await net.founder('relay')
    const a = await net.node('a', ['relay'])
    const c = await net.node('c', ['relay'])
    await admit(relay, a.identity)
    await vi.waitFor(() => expect(a.graph.admits(a.identity.id, 'publisher')).toBe(true), within)
    await a.graph.publish('m', hash(1), manifestOf(hash(1)))
    await a.graph.publish('hb', '', heartbeatOf())
    await vi.waitFor(() => {
      expect(c.graph.get('m', a.identity.id, hash(1))?.body.name).toBe('film.mp4')
      expect(c.graph.get('hb', a.identity.id, '')?.pub).toBe(a.identity.id)
    }, within)
    expect(new Set(relay.graph.stats().links.map(({ member }) => member))).toEqual(
      new Set([a.identity.id, c.identity.id]),
    )
    expect(net.faults).toEqual([])
  })

  test('what was written apart is found when links stand again, heartbeats too', async () => {
    const net = await network()
    const relay = await net.founder('relay')
    const a = await net.node('a')
    const b = await net.node('b')
    for (const { identity } of [a, b]) await admit(relay, identity)
    for (const certificate of relay.graph.entries('p')) {
      const entry = relay.store.get(certificate.soul, certificate.key)
      if (entry !== undefined) for (const { store } of [a, b]) void store.upsert([entry], true)
    }
    const restarted = await Promise.all([
      net.node('a', ['relay'], { identity: a.identity, store: a.store }),
      net.node('b', ['relay'], { identity: b.identity, store: b.store }),
    ])
    const numbers = Array.from({ length: 300 }, (_, n) => n)
    await Promise.all(
      restarted.map(({ graph }, side) =>
        Promise.all(numbers.map((n) => graph.publish('m', hash(n * 2 + side), manifestOf(hash(n * 2 + side))))),
      ),
    )
    await relay.graph.publish('hb', '', heartbeatOf())
    const late = await net.node('late', ['relay'])
    await vi.waitFor(() => {
      for (const { graph } of [relay, late, ...restarted]) expect(count(graph)).toBe(600)
      expect(late.graph.get('hb', relay.identity.id, '')).toBeDefined()
      expect(late.graph.stats().links[0]?.inSync).toBe(true)
    }, within)
    expect(net.faults).toEqual([])
  })

  test('two values that a faulty publisher signed for one time end the same everywhere', async () => {
    const net = await network()
    const relay = await net.founder('relay')
    const id = networkIdOf(net.owner.id)
    const ts = Date.now()
    const values = await Promise.all(
      [1, 2].map((createdAt) =>
        seal({ kind: 'm', network: id, ts, body: manifestOf(hash(1), { createdAt }) }, relay.identity),
      ),
    )
    const soul = `en1/${id}/m/${relay.identity.id}/${hash(1).slice(0, 2)}`
    const identities = await Promise.all([WebIdentity.generate(), WebIdentity.generate()])
    for (const identity of identities) await admit(relay, identity)
    const stores = values.map((value) => {
      const store = new MemoryGraphStore()
      for (const { soul: name, key } of relay.graph.entries('p')) {
        const entry = relay.store.get(name, key)
        if (entry !== undefined) store.upsert([entry])
      }
      store.upsert([{ soul, key: hash(1), ts, value }])
      return store
    })
    await net.node('x', [], { store: stores[0]!, identity: identities[0] })
    await net.node('y', ['x'], { store: stores[1]!, identity: identities[1] })
    const greater = values.toSorted().at(-1)
    await vi.waitFor(() => {
      for (const store of stores) expect(store.get(soul, hash(1))?.value).toBe(greater)
    }, within)
  })

  test('two nodes that dial each other keep one link', async () => {
    const net = await network()
    const founder = await net.founder('a')
    net.nodes.delete('ws://a/gun')
    await founder.graph.close()
    const [first, second] = await Promise.all([
      net.node('a', ['b', 'b'], { identity: founder.identity, store: founder.store }),
      net.node('b', ['a']),
    ])
    await vi.waitFor(
      () => {
        for (const { graph } of [first, second]) {
          expect(graph.stats().links).toHaveLength(1)
          expect(graph.stats().links[0]?.inSync).toBe(true)
        }
      },
      { timeout: 8000, interval: 20 },
    )
  })

  test('a node that finds itself or another network ends the link', async () => {
    const net = await network()
    const founder = await net.founder('a')
    const other = await network()
    const foreign = await other.node('x', ['a'], {
      dial: async () => {
        const [here, there] = socketPair()
        founder.graph.accept(there)
        return here
      },
    })
    const self = await net.node('self', ['self'])
    await vi.waitFor(() => {
      expect(founder.graph.stats().refused['hello_network']).toBeGreaterThan(0)
      expect(self.graph.stats().refused['hello_self']).toBe(1)
    }, within)
    await vi.waitFor(() => expect(foreign.graph.stats().links).toEqual([]), within)
    await vi.waitFor(() => expect(self.graph.stats().links).toEqual([]), within)
  })
})
