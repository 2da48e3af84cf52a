import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Identity, Manifest } from '@eldernode/core'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { pino } from 'pino'
import { afterEach, beforeEach } from 'vitest'
import { createVerifier, openIdentity } from '@eldernode/member/keys'
import { openLibrary, type Item, type Library } from '../../library/index.ts'
import { Publications } from '../deciding/publications.ts'
import { Reconciler, type ReconcilerOptions } from '../deciding/reconciler.ts'
import { Transfers } from '../fetching/transfers.ts'

/** Milliseconds. */
export const day = 86_400_000
const log = pino({ level: 'silent' })

let folder: string
let store: MemoryGraphStore
export let self: Identity
export let other: Identity
export let third: Identity
let graphs: Map<Identity, Graph>
export let library: Library
export let transfers: Transfers
export let reconciler: Reconciler
export let publications: Publications
export let started: string[]
export let offered: string[]
export let inPart: string[]
export let withdrawn: string[]
export let suspended: string[]
export let forgotten: string[]
export let retractions: number

/** What a test may change: whether placement wants items here, whether the gate is open, and the graphs' clock. */
export const given = { wanted: true, mayFetch: true, isAwayLong: false, clock: Date.now }

/** Each node's graph works on one store, as if all of them were in step. */
export const graphOf = (identity: Identity): Graph => graphs.get(identity)!

export const manifest = (infoHash: string, changes: Partial<Manifest> = {}): Manifest => ({
  infoHash,
  name: 'a',
  size: 1,
  pieceLength: 16_384,
  files: [],
  trackers: [],
  replicas: { min: 1, target: 3 },
  access: 'public',
  createdAt: 1,
  state: 'live',
  ...changes,
})

export const hash = (n: number): string => createHash('sha1').update(String(n)).digest('hex')

export async function hold(infoHash: string, publisher: string): Promise<Item> {
  const bytes = Buffer.from(infoHash)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const file = { path: 'a', size: bytes.length, sha256, type: 'text/plain' }
  const { size, pieceLength, replicas, createdAt } = manifest(infoHash, { size: bytes.length })
  const rest = {
    name: 'a',
    size,
    pieceLength,
    replicas,
    createdAt,
    sha256,
    publisher,
    state: 'live' as const,
    owner: '',
    access: 'public' as const,
    about: {},
  }
  return (await library.commit(staging, { infoHash, files: [file], ...rest }, Buffer.from('de'))).item
}

/** Stands in for what is wanted of whom: as the test says. */
function look(infoHash: string, changed = false): void {
  const published = publications.published(infoHash)
  const isMissing = published !== undefined && library.get(infoHash) === undefined
  const isUnsound = library.condition(infoHash) !== undefined && library.condition(infoHash) !== 'damaged'
  const isBarred = isUnsound || library.isPaused(infoHash) || library.storage().state !== 'here'
  if (library.get(infoHash)?.state === 'retracted' && !changed) reconciler.touchItem(infoHash)
  else if (isMissing && given.wanted && given.mayFetch && !isBarred) {
    transfers.add({ infoHash, publisher: published.signer }, changed)
  } else if (!given.wanted) void transfers.cancel(infoHash, 'placement wants it elsewhere')
}

function* pass(): Generator<void> {
  for (const { infoHash } of publications.demands) yield look(infoHash)
}

export function build(options: Partial<ReconcilerOptions> = {}): Reconciler {
  return new Reconciler({
    self: self.id,
    graph: graphOf(self),
    library,
    transfers,
    publications,
    duties: { look, pass },
    absence: {
      get isLong() {
        return given.isAwayLong
      },
    },
    serving: {
      offer: (infoHash) => Promise.resolve(void offered.push(infoHash)),
      offerInPart: (infoHash) => Promise.resolve(void inPart.push(infoHash)),
      suspend: (infoHash) => Promise.resolve(void suspended.push(infoHash)),
      withdraw: (infoHash) => Promise.resolve(void withdrawn.push(infoHash)),
      forget: (infoHash) => Promise.resolve(void forgotten.push(infoHash)),
      offers: () => false,
      offered: () => [],
    },
    manifestOf: ({ infoHash, size }) => manifest(infoHash, { size }),
    retentionMs: day,
    retracted: () => retractions++,
    log,
    ...options,
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-reconcile-'))
  self = openIdentity(join(folder, 'self.key'))
  other = openIdentity(join(folder, 'other.key'))
  third = openIdentity(join(folder, 'third.key'))
  store = new MemoryGraphStore()
  graphs = new Map()
  for (const identity of [self, other, third]) {
    const graph = createGraph({
      network: { owner: self.id, open: true },
      identity,
      ...(identity === self && { owner: self }),
      verifier: createVerifier(),
      store,
      dial: () => Promise.reject(new Error('nobody to dial')),
      peers: [],
      now: () => given.clock(),
      onFault: (error) => {
        throw error
      },
    })
    await graph.start()
    graphs.set(identity, graph)
  }
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing to hash')) })
  started = []
  offered = []
  inPart = []
  forgotten = []
  suspended = []
  withdrawn = []
  Object.assign(given, { wanted: true, mayFetch: true, isAwayLong: false, clock: Date.now })
  retractions = 0
  transfers = new Transfers({
    run: ({ infoHash }, signal) =>
      new Promise((_, reject) => {
        started.push(infoHash)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
    failed: () => {},
    settled: () => {},
    drained: () => {},
    concurrency: 1,
    maxQueued: 100,
    now: Date.now,
    random: Math.random,
  })
  publications = new Publications({ self: self.id, graph: graphOf(self), now: () => given.clock() })
  reconciler = build()
})

afterEach(async () => {
  await transfers.close()
  await reconciler.close()
  await Promise.all([...graphs.values()].map((graph) => graph.close()))
  library.close()
  await rm(folder, { recursive: true })
})
