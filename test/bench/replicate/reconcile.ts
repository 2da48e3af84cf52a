import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  Auditors,
  auditKey,
  Demands,
  HolderIndex,
  NetworkView,
  OwnHoldings,
  packTags,
  Presence,
  ProofIndex,
  Releases,
  tagOf,
  toBase64url,
  Unproven,
  wantedHolders,
  type Heartbeat,
} from '@eldernode/core'
import { Catalog } from '../../../apps/seeder/src/library/catalog.ts'
import { differences } from '../../../apps/seeder/src/replication/deciding/differences.ts'
import { Duties } from '../../../apps/seeder/src/replication/deciding/duties.ts'
import { Levels } from '../../../apps/seeder/src/replication/health/levels.ts'
import { round, tell, type Figures, type Part, type Stage } from '../publish/figures.ts'

const items = 100_000
const nodes = 20
const now = Date.now()
const buckets = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const ids = Array.from({ length: nodes }, (_, n) => toBase64url(digest(`node ${n}`)))
const infoHashes = Array.from({ length: items }, (_, n) => digest(`item ${n}`).toString('hex').slice(0, 40))

const heartbeat = (n: number): Heartbeat => ({
  endpoints: { http: `http://node${n}.example` },
  zone: `zone ${n % 7}`,
  operator: `operator ${n % 11}`,
  state: 'active',
  capacity: { bytes: 2 ** 40, used: 2 ** 38, free: 2 ** 39 },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '0',
})

/** The catalog of a node that holds these items, as a pass reads it. */
function catalogOf(folder: string, held: readonly string[], publisherOf: (infoHash: string) => string): Catalog {
  mkdirSync(folder, { recursive: true })
  const catalog = new Catalog(join(folder, 'catalog.db'))
  catalog.transact(() => {
    for (const [n, infoHash] of held.entries()) {
      const sha256 = digest(`bytes ${infoHash}`).toString('hex')
      const file = { path: 'a', size: 10 ** 6, sha256, type: 'text/plain' }
      const print = { size: file.size, mtimeUs: 1, ctimeUs: 1, inode: n + 1 }
      catalog.blobs.set({ ...print, sha256, state: 'sound', writtenAt: 1, verifiedAt: 1 })
      const { size } = file
      const replicas = { min: 2, target: 3 }
      const rest = {
        replicas,
        createdAt: n + 1,
        state: 'live' as const,
        owner: '',
        access: 'public' as const,
        about: {},
      }
      const item = { infoHash, name: 'a', size, pieceLength: 16_384, files: [file], sha256, ...rest }
      catalog.addItem({ ...item, publisher: publisherOf(infoHash) }, Buffer.from('de'))
    }
  })
  return catalog
}

/**
 * One pass over healthy items as each node makes it: what it holds is compared with what it published and offers, every item
 * is assessed, its duty found and its level noted; nothing else is to be done.
 */
function run({ folder }: Stage): Promise<Figures> {
  const self = ids[0]!
  const presence = new Presence({ self, graceMs: 600_000, now: () => now, clock: () => 60_000 })
  for (const [n, pub] of ids.entries()) presence.see({ pub, ts: now, body: heartbeat(n) })
  const demands = new Demands()
  const held = new Map(ids.map((id) => [id, buckets.map((): string[] => [])]))
  const nobody = { holds: () => false, refused: () => false, vain: () => 0 }
  for (const [n, infoHash] of infoHashes.entries()) {
    const asking = { size: 10 ** 6, min: 2, target: 3, since: 0 }
    const publisher = ids[n % nodes]!
    demands.set(publisher, infoHash, asking)
    const wish = { infoHash, publishers: [publisher], ...asking }
    for (const id of wantedHolders(wish, presence.live(), nobody)) {
      held.get(id)![Number.parseInt(infoHash.slice(0, 2), 16)]!.push(infoHash)
    }
  }
  const [index, proofs, auditors] = [new HolderIndex(), new ProofIndex(), new Auditors()]
  proofs.trust(ids)
  auditors.set(ids)
  for (const [id, lists] of held) {
    for (const [byte, list] of lists.entries()) {
      const bucket = buckets[byte]!
      index.set(id, bucket, { held: list.toSorted(), releasing: [], refused: [] })
      const body = { passedAt: now, proven: packTags(list.map(tagOf)), failed: [] }
      for (const pub of auditors.of(id, bucket)) proofs.set({ pub, key: auditKey(id, bucket), ts: now, body })
    }
  }
  const own = new OwnHoldings()
  for (const infoHash of held.get(self)!.flat()) own.set(infoHash, 'held')
  const unproven = new Unproven(() => 0)
  const view = new NetworkView({
    self,
    presence,
    index,
    proofs,
    unproven,
    own: (infoHash) => own.get(infoHash),
    isPinned: () => false,
    now: () => now,
  })
  const mine = [...own.buckets()].flatMap((bucket) => own.bucket(bucket).held).toSorted()
  const publisherOf = new Map(infoHashes.map((infoHash, n) => [infoHash, ids[n % nodes]!]))
  const catalog = catalogOf(join(folder, 'reconcile'), mine, (infoHash) => publisherOf.get(infoHash)!)
  const published = mine.filter((infoHash) => publisherOf.get(infoHash) === self)
  const levels = new Levels(
    () => now,
    () => {},
  )
  const never = (): never => {
    throw new Error('something is to be done about a healthy item')
  }
  const duties = new Duties({
    publications: { demands, published: never, refresh: never },
    view,
    unproven,
    releases: new Releases(),
    levels,
    transfers: { add: never, has: () => false, rank: never, runs: never, sweep: () => {} },
    inStep: () => true,
    mayFetch: never,
    review: never,
    cancel: never,
    mark: never,
    unmark: never,
    release: never,
    isBad: () => false,
    drop: never,
    clock: () => 0,
  })
  const compared = {
    self,
    graph: { manifests: () => published.map((infoHash) => ({ pub: self, infoHash })) },
    library: {
      heads: () => catalog.lists.heads(),
      patchy: () => [],
      storage: () => ({ folder, state: 'here' as const }),
    },
    serving: { offers: (infoHash: string) => own.get(infoHash) === 'held', offered: () => mine },
  }
  const pass = (): number => {
    for (const difference of differences(compared, false, () => {})) if (difference !== undefined) never()
    for (const _step of duties.pass());
    return levels.totals().levels['at-target'].items
  }
  const seconds = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage()
    if (pass() !== items) throw new Error('not all items were found healthy')
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  })
  catalog.close()
  const first = seconds[0]!
  tell(`one pass over ${items} healthy items, ${nodes} nodes`, `${first.toFixed(2)} CPU-s`, 'the first of three')
  return Promise.resolve({ reconcile_cpu_s: round(first, 2) })
}

export const reconcile: Part = { name: 'reconcile', keys: ['reconcile_cpu_s'], run }
