import { createHash } from 'node:crypto'
import {
  assess,
  Auditors,
  auditKey,
  Demands,
  duty,
  HolderIndex,
  NetworkView,
  OwnHoldings,
  packTags,
  Presence,
  ProofIndex,
  tagOf,
  toBase64url,
  Unproven,
  wantedHolders,
  type Heartbeat,
} from '@eldernode/core'
import { round, tell, type Figures, type Part } from '../publish/figures.ts'

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

/** One pass over healthy items as each node makes it: every item assessed, its duty found, nothing else to do. */
function run(): Promise<Figures> {
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
  const pass = (): number => {
    let healthy = 0
    for (const demand of demands) {
      const assessment = assess(demand, view)
      unproven.note(demand, assessment, view)
      const { do: what } = duty(demand, assessment, view)
      if (assessment.level === 'at-target' && (what === 'keep' || what === 'nothing')) healthy++
    }
    return healthy
  }
  const seconds = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage()
    if (pass() !== items) throw new Error('not all items were found healthy')
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  })
  const first = seconds[0]!
  tell(`one pass over ${items} healthy items, ${nodes} nodes`, `${first.toFixed(2)} CPU-s`, 'the first of three')
  return Promise.resolve({ reconcile_cpu_s: round(first, 2) })
}

export const reconcile: Part = { name: 'reconcile', keys: ['reconcile_cpu_s'], run }
