import {
  Demands,
  HolderIndex,
  NetworkView,
  Presence,
  Releases,
  Unproven,
  wantedHolders,
  type Heartbeat,
  type Holdings,
  type HoldingState,
  type NodeId,
  type Proof,
} from '@eldernode/core'
import { createHash } from 'node:crypto'
import { beforeEach } from 'vitest'
import type { Rank } from '../fetching/rank.ts'
import { Levels } from '../health/levels.ts'
import type { LevelChange } from '../health/port.ts'
import { Duties } from '../deciding/duties.ts'

export const minute = 60_000
const id = (n: number): NodeId => createHash('sha256').update(`node ${n}`).digest('base64url')
const hash = (n: number): string => createHash('sha1').update(`item ${n}`).digest('hex')
export const self = id(0)
export const others = [1, 2, 3, 4].map(id)
export const publisher = id(1)

export let time: number
export let presence: Presence
let index: HolderIndex
let proofs: Map<string, Proof>
export let own: Map<string, HoldingState>
export let demands: Demands
export let levels: Levels
export let releases: Releases
export let queued: Map<string, Rank>
export let told: string[]
export let changes: LevelChange[]
export let barred: Set<string>
export let reviewed: string[]
export let pinned: Set<string>
/** Copies here with lost bytes. */
export let bad: Set<string>
/** Items published here a moment ago: nobody has looked at their manifests yet. */
export let unread: Set<string>
/** What a test may change. */
export const given = { inStep: true, runs: false, stays: false }
export let duties: Duties

export const heartbeat = (state: Heartbeat['state'] = 'active'): Heartbeat => ({
  endpoints: { http: 'http://a.example' },
  zone: '',
  operator: '',
  state,
  capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 40 },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '',
})

/** Time passes, and all but `silent` are heard from. */
export function pass(ms: number, silent: readonly NodeId[] = []): void {
  for (let left = ms; left > 0; left -= 15_000) {
    time += Math.min(left, 15_000)
    for (const pub of [self, ...others]) if (!silent.includes(pub)) presence.see({ pub, ts: time, body: heartbeat() })
    presence.bury()
  }
}

/** What a member says and what auditors found of it. */
export function says(node: NodeId, infoHash: string, state: keyof Holdings | 'nothing', proof: Proof = 'proven'): void {
  const holdings: Holdings = { held: [], releasing: [], refused: [] }
  if (state !== 'nothing') holdings[state].push(infoHash)
  index.set(node, infoHash.slice(0, 2), holdings)
  proofs.set(node + infoHash, proof)
}

/** An item of which this node is, or is not, among the best three of five, and that suits the case otherwise. */
export function item(isWanted: boolean, suits: (infoHash: string) => boolean = () => true): string {
  const nobody = { holds: () => false, refused: () => false, vain: () => 0 }
  for (let n = 0; ; n++) {
    const wish = { infoHash: hash(n), size: 5, publishers: [publisher], target: 3 }
    const wanted = wantedHolders(wish, presence.live(), nobody)
    if (wanted.includes(self) === isWanted && suits(hash(n))) return hash(n)
  }
}

export const publish = (infoHash: string, size = 5): boolean =>
  demands.set(publisher, infoHash, { size, min: 2, target: 3, since: 1 })
export const others3 = (infoHash: string): NodeId[] => {
  const nobody = { holds: () => false, refused: (node: NodeId) => node === self, vain: () => 0 }
  return wantedHolders({ infoHash, size: 5, publishers: [publisher], target: 3 }, presence.live(), nobody)
}
/** This node has a copy that was not needed, for others have as many as there shall be. */
export function surplus(suits?: (infoHash: string) => boolean): string {
  const infoHash = item(false, suits)
  publish(infoHash)
  for (const node of others3(infoHash)) says(node, infoHash, 'held')
  own.set(infoHash, 'held')
  proofs.set(self + infoHash, 'proven')
  return infoHash
}

/** A node that has just started. */
export function start(): void {
  time = 1_700_000_000_000
  told = []
  changes = []
  queued = new Map()
  proofs = new Map()
  own = new Map()
  barred = new Set()
  reviewed = []
  pinned = new Set()
  bad = new Set()
  unread = new Set()
  Object.assign(given, { inStep: true, runs: false, stays: false })
  const clock = (): number => time
  presence = new Presence({ self, graceMs: 10 * minute, now: clock, clock })
  index = new HolderIndex()
  demands = new Demands()
  releases = new Releases()
  levels = new Levels(clock, (change) => changes.push(change))
  const unproven = new Unproven(clock)
  const view = new NetworkView({
    self,
    presence,
    index,
    proofs: { proofOf: (node, infoHash) => proofs.get(node + infoHash) ?? 'unknown' },
    unproven,
    own: (infoHash) => own.get(infoHash),
    isPinned: (infoHash) => pinned.has(infoHash),
    now: clock,
  })
  duties = new Duties({
    publications: {
      demands,
      refresh: (infoHash) =>
        unread.delete(infoHash) && demands.set(self, infoHash, { size: 5, min: 2, target: 3, since: 1 }),
      published: () => ({ publisher, signer: publisher, manifest: undefined as never, ts: 0 }),
    },
    view,
    unproven,
    releases,
    levels,
    transfers: {
      add: ({ infoHash }, changed, rank) => {
        told.push(`add${changed === true ? ' now' : ''}`)
        if (rank !== undefined) queued.set(infoHash, rank)
        return true
      },
      has: (infoHash) => queued.has(infoHash),
      runs: () => given.runs,
      rank: (infoHash, rank) => {
        told.push('rank')
        queued.set(infoHash, rank)
      },
      sweep: () => told.push('sweep'),
    },
    inStep: () => given.inStep,
    mayFetch: (infoHash) => !barred.has(infoHash),
    review: (infoHash) => reviewed.push(infoHash),
    cancel: (infoHash) => {
      told.push('cancel')
      queued.delete(infoHash)
      return Promise.resolve()
    },
    mark: (infoHash) => {
      told.push('mark')
      own.set(infoHash, 'releasing')
    },
    unmark: (infoHash) => {
      told.push('unmark')
      own.set(infoHash, 'held')
    },
    release: ({ infoHash }) => {
      told.push('go')
      if (!given.stays) {
        own.delete(infoHash)
        releases.forget(infoHash)
      }
    },
    isBad: (infoHash) => bad.has(infoHash),
    drop: ({ infoHash }) => {
      told.push('drop')
      bad.delete(infoHash)
    },
    clock,
  })
}

beforeEach(() => {
  start()
  pass(2 * minute)
})
