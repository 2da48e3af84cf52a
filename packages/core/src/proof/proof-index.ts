import type { NodeId } from '../identity/index.ts'
import { Auditors, BELIEVED } from './auditors.ts'
import { readAuditKey } from './key.ts'
import type { AuditFailure, AuditResult, Proof } from './schema.ts'
import { differingTags, hasPair, tagPairs } from './tags.ts'

/** How long an audit that was passed speaks for its bucket, in milliseconds. */
export const PROOF_LASTS = 86_400_000

/** How long who found something counts as an auditor, in milliseconds. */
const WORD_LASTS = 2 * PROOF_LASTS

/** Holders of whom results are kept; more than a network may have members. */
const mostHolders = 20_000

const none = new Uint32Array(0)

/** One auditor's word on one bucket. */
interface Result {
  auditor: NodeId
  passedAt: number
  proven: Uint32Array
  failed: Uint32Array
  failures: readonly AuditFailure[]
}

interface Bucket {
  results: Map<NodeId, Result>
  /** The auditors who are believed, as of an epoch, and their results; absent until they are asked for. */
  nearest: readonly NodeId[]
  epoch: number
  believed: readonly Result[] | undefined
}

/** A result as it lies in the graph: the auditor, the holder and bucket, when it was signed, what it says. */
export interface GivenResult {
  pub: NodeId
  key: string
  ts: number
  body: AuditResult
}

/** An audit that a holder failed and has not passed since. */
export interface OpenFailure extends AuditFailure {
  auditor: NodeId
}

/**
 * Whose claims are proven, from the auditors' results, at 8 bytes a claim and auditor. Results of members that are not
 * among the nearest are kept but not believed: who is near changes with the members.
 */
export class ProofIndex {
  readonly #holders = new Map<NodeId, (Bucket | undefined)[]>()
  readonly #auditors = new Auditors()
  /** When each auditor signed its newest result. */
  readonly #words = new Map<NodeId, number>()
  #members = new Set<NodeId>()
  #silentSince = -Infinity
  #epoch = 0
  #asked = ''
  #high = 0
  #low = 0

  /** Another number once others are believed than before, so that any claim's proof may be another. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Takes the members with the role auditor, alive or not: the nearest four of a bucket are believed.
   * @param now milliseconds since 1970: those who found nothing in the two days before it do not count, since who is gone
   * for good must not take the place of who does the work. Absent: all of them count.
   * @returns whether they are others than before
   */
  trust(members: Iterable<NodeId>, now?: number): boolean {
    this.#members = new Set(members)
    this.#silentSince = now === undefined ? -Infinity : now - WORD_LASTS
    return this.#count()
  }

  /**
   * Takes an auditor's newest word on one bucket in place of its former one.
   * @returns the tags of items whose proof may be another now
   */
  set({ pub: auditor, key, ts, body }: GivenResult): string[] {
    const place = readAuditKey(key)
    if (place === undefined || place.holder === auditor) return []
    const result = resultOf(auditor, ts, body)
    const bucket = this.#bucketFor(place.holder, place.number)
    if (result === undefined || bucket === undefined) return []
    const before = bucket.results.get(auditor)
    bucket.results.set(auditor, result)
    bucket.believed = undefined
    this.#hear(auditor, ts)
    return changes(before, result)
  }

  /** @param now milliseconds since 1970 */
  proofOf(holder: NodeId, infoHash: string, now: number): Proof {
    const buckets = this.#holders.get(holder)
    if (buckets === undefined) return 'unknown'
    if (infoHash !== this.#asked) this.#read(infoHash)
    const high = this.#high
    const low = this.#low
    const bucket = buckets[high >>> 24]
    if (bucket === undefined) return 'unknown'
    const believed = this.#believed(holder, high >>> 24, bucket)
    let isProven = false
    for (const { passedAt, proven, failed } of believed) {
      if (failed.length > 0 && hasPair(failed, high, low)) return 'failed'
      isProven ||= now - passedAt < PROOF_LASTS && hasPair(proven, high, low)
    }
    return isProven ? 'proven' : 'unknown'
  }

  /** The audits that a holder failed, of auditors who are believed. */
  *failuresOf(holder: NodeId): Iterable<OpenFailure> {
    for (const [number, bucket] of this.#holders.get(holder)?.entries() ?? []) {
      if (bucket === undefined) continue
      for (const { auditor, failures } of this.#believed(holder, number, bucket)) {
        for (const failure of failures) yield { ...failure, auditor }
      }
    }
  }

  /**
   * What is said of a bucket by auditors who are believed, however long ago.
   * @param bucket 0 to 255
   * @returns when it was last passed with anything proven, absent when nothing is; and whether anything in it is failed
   */
  wordOn(holder: NodeId, bucket: number): { passedAt?: number; fails: boolean } {
    const known = this.#holders.get(holder)?.[bucket]
    let passedAt = -1
    let fails = false
    for (const result of known === undefined ? [] : this.#believed(holder, bucket, known)) {
      if (result.proven.length > 0) passedAt = Math.max(passedAt, result.passedAt)
      fails ||= result.failed.length > 0
    }
    return passedAt < 0 ? { fails } : { passedAt, fails }
  }

  /** Reading an infohash costs more than a search, and one item is asked of many holders in a row. */
  #read(infoHash: string): void {
    this.#asked = infoHash
    this.#high = Number.parseInt(infoHash.slice(0, 8), 16)
    this.#low = Number.parseInt(infoHash.slice(8, 16), 16)
  }

  #believed(holder: NodeId, number: number, bucket: Bucket): readonly Result[] {
    if (bucket.epoch !== this.#epoch) {
      bucket.nearest = this.#auditors.of(holder, number.toString(16).padStart(2, '0'), BELIEVED)
      bucket.epoch = this.#epoch
      bucket.believed = undefined
    }
    return (bucket.believed ??= bucket.nearest.flatMap((id) => bucket.results.get(id) ?? []))
  }

  #hear(auditor: NodeId, ts: number): void {
    const before = this.#words.get(auditor) ?? -Infinity
    if (ts <= before) return
    this.#words.set(auditor, ts)
    if (before <= this.#silentSince && ts > this.#silentSince && this.#members.has(auditor)) this.#count()
  }

  #count(): boolean {
    const speaks = (id: NodeId) => this.#silentSince === -Infinity || (this.#words.get(id) ?? 0) > this.#silentSince
    const changed = this.#auditors.set([...this.#members].filter(speaks))
    if (changed) this.#epoch++
    return changed
  }

  #bucketFor(holder: NodeId, number: number): Bucket | undefined {
    let buckets = this.#holders.get(holder)
    if (buckets === undefined) {
      if (this.#holders.size >= mostHolders) return undefined
      this.#holders.set(holder, (buckets = Array<Bucket | undefined>(256).fill(undefined)))
    }
    return (buckets[number] ??= { results: new Map(), nearest: [], epoch: -1, believed: undefined })
  }
}

function resultOf(auditor: NodeId, ts: number, { passedAt, proven, failed }: AuditResult): Result | undefined {
  const pairs = tagPairs(proven)
  if (pairs === undefined) return undefined
  const failing = failed.flatMap(({ tag }) => [Number.parseInt(tag.slice(0, 8), 16), Number.parseInt(tag.slice(8), 16)])
  // Threat: an auditor could pass a bucket for ever by a time far ahead. When it signed is checked against the clock.
  return {
    auditor,
    passedAt: Math.min(passedAt, ts),
    proven: pairs,
    failed: Uint32Array.from(failing),
    failures: failed,
  }
}

/** A later audit alone changes no item's proof, unless the former one was too long ago to count. */
function changes(before: Result | undefined, after: Result): string[] {
  const isRenewed = before !== undefined && after.passedAt - before.passedAt >= PROOF_LASTS
  const proven = differingTags(isRenewed ? none : (before?.proven ?? none), after.proven)
  const failed = differingTags(before?.failed ?? none, after.failed)
  return failed.length === 0 ? proven : [...new Set([...proven, ...failed])]
}
