import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { networkIdOf, WebIdentity, WebVerifier } from '../identity/index.ts'
import { manifestOf } from '../testing/bodies.ts'
import { socketPair } from '../testing/socket-pair.ts'
import type { Frame } from './frames.ts'
import { createGraph } from './graph.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Graph, Kind } from './port.ts'

const within = { timeout: 10_000, interval: 10 }
const shown = manifestOf('ac'.repeat(20))
const hidden = manifestOf('5e'.repeat(20), { access: 'unlisted' })
const held = (infoHash: string) => ({ held: [infoHash], releasing: [], refused: [] })

let owner: WebIdentity
let net: string
let founder: { graph: Graph; identity: WebIdentity; store: MemoryGraphStore }
let said: Frame[]
let heard: Frame[]

beforeEach(async () => {
  owner = await WebIdentity.generate()
  net = networkIdOf(owner.id)
  said = []
  heard = []
  founder = await node({ owner })
  await admit(founder.identity.id)
})

async function node(options: { owner?: WebIdentity; keeps?: Kind[] }) {
  const identity = await WebIdentity.generate()
  const store = new MemoryGraphStore()
  const graph = createGraph({
    network: { owner: owner.id },
    identity,
    ...options,
    verifier: new WebVerifier(),
    store,
    dial: () => {
      const [here, there] = socketPair()
      here.onMessage((text) => heard.push(...framesIn(text)))
      there.onMessage((text) => said.push(...framesIn(text)))
      founder.graph.accept(there)
      return Promise.resolve(here)
    },
    peers: options.owner === undefined ? ['ws://founder/gun'] : [],
    onFault: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(() => graph.close())
  await graph.start()
  return { graph, identity, store }
}

function framesIn(text: string): Frame[] {
  const message = JSON.parse(text) as Frame
  return Object.hasOwn(message, 'en') ? [message] : []
}

async function admit(member: string): Promise<void> {
  const now = Date.now()
  const roles: ('publisher' | 'seeder' | 'tracker')[] = ['publisher', 'seeder', 'tracker']
  await founder.graph.publish('p', member, { member, roles, operator: '', issuedAt: now, expiresAt: now + 3_600_000 })
}

async function publishAll(): Promise<void> {
  await founder.graph.publish('m', shown.infoHash, shown)
  await founder.graph.publish('m', hidden.infoHash, hidden)
  await founder.graph.publish('h', 'ac', held(shown.infoHash))
  await founder.graph.publish('h', 'x/5e', held(hidden.infoHash))
}

const infoHashesIn = (graph: Graph): string[] => [...graph.manifests()].map(({ infoHash }) => infoHash).toSorted()

test.each(['before', 'after'])('what is not kept is left out, whether it was said %s the link opened', async (when) => {
  if (when === 'before') await publishAll()
  const { graph, store, identity } = await node({ keeps: ['m', 'hb', 'p', 'd', 'o'] })
  await admit(identity.id)
  await vi.waitFor(() => expect(graph.admits(identity.id)).toBe(true), within)
  if (when === 'after') await publishAll()
  await vi.waitFor(() => expect(infoHashesIn(graph)).toEqual([hidden.infoHash, shown.infoHash]), within)
  await founder.graph.publish('d', hidden.infoHash, { infoHash: hidden.infoHash, state: 'denied' })
  await vi.waitFor(() => expect(graph.get('d', '', hidden.infoHash)?.body.state).toBe('denied'), within)
  const souls = [...store.souls('en1/', '', 100), ...store.souls(`en1/${net}/x/`, '', 100)]
  expect(souls.filter((soul) => soul.includes('/h/'))).toEqual([])
  expect(graph.stats().refused).not.toHaveProperty('holder')
  // It tells nothing of what it holds, so that nobody looks for the rest there.
  expect(said.filter(({ en }) => en === 'sums')).toEqual([])
  expect(heard.filter(({ en }) => en === 'buckets?' || en === 'keys?')).toEqual([])
})
