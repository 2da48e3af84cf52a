import { type AuditResult, MOST_FAILURES, packTags, PROOF_LASTS, tagOf, tagsOf, tagPairs } from '@eldernode/core'

/** A passed bucket is audited again so long before its proof ends, so that a holder may be away for a while. */
const aheadMs = 4 * 3_600_000
const spreadMs = 2 * 3_600_000
/** After an answer that says nothing: doubled with each further one. */
const firstRetryMs = 1_000
const lastRetryMs = 600_000
/** Between two questions for a piece that was failed: doubled with each further one. */
const firstFailureMs = 15_000
const lastFailureMs = 3_600_000
/** Failures of what is claimed no more are remembered so long: to claim it anew must not wipe them out. */
const rememberMs = 7 * 86_400_000
/** One lost item calls the others of its bucket into question; they are all asked for within this time. */
const doubtMs = 60_000

/** An audit to make. */
export interface Task {
  infoHash: string
  /** The piece that was failed before; any one when absent. */
  piece?: number
}

interface Open {
  dueAt: number
  /** How often it was asked for in vain. */
  tries: number
}

interface Failure {
  piece: number
  since: number
}

/**
 * What an auditor knows of one bucket of one holder, and what it asks for next: a new holding at once, then one at random
 * before the bucket's proof ends, a failed piece until it is right. When the proof ends all is asked for anew. Pure; times in
 * milliseconds since 1970, of a clock that never goes back.
 */
export class BucketAudit {
  readonly #random: () => number
  /** What the holder claims, by tag. */
  #claims = new Map<string, string>()
  readonly #proven: Set<string>
  readonly #failed: Map<string, Failure>
  /** What is to be asked for, by tag. */
  readonly #open = new Map<string, Open>()
  readonly #asked = new Set<string>()
  #passedAt: number
  #nextCheck: Open
  /** The item that the daily audit is about, once that is due: no other may answer for it. */
  #checked: string | undefined
  #dueAt = Infinity
  #charged = false

  /** @param saved what was published of the bucket before; what it says of the time to come is not believed */
  constructor(saved: AuditResult | undefined, random: () => number, now: number) {
    this.#random = random
    this.#proven = new Set(tagsOf(tagPairs(saved?.proven ?? '') ?? new Uint32Array()))
    this.#failed = new Map(saved?.failed.map(({ tag, piece, since }) => [tag, { piece, since: Math.min(since, now) }]))
    // A little ahead is a clock that was set; far ahead is as good as long ago.
    this.#passedAt = Math.max(0, now - Math.abs(now - (saved?.passedAt ?? 0)))
    this.#nextCheck = this.#planned()
  }

  /** When `next` may give something. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** Whether this node is one of the bucket's auditors; when it is not, it goes on with what was failed alone. */
  get charged(): boolean {
    return this.#charged
  }

  /** Whether what is known says anything to anybody at `now`. */
  speaksAt(now: number): boolean {
    return this.#failed.size > 0 || (this.#proven.size > 0 && now - this.#passedAt < PROOF_LASTS)
  }

  charge(charged: boolean, now: number): void {
    if (this.#charged === charged) return
    this.#charged = charged
    this.#review(now)
  }

  /**
   * Takes what the holder claims now.
   * @returns whether the result is another than before
   */
  claim({ held, releasing }: Record<'held' | 'releasing', readonly string[]>, now: number): boolean {
    this.#claims = new Map(held.map((infoHash) => [tagOf(infoHash), infoHash]))
    const leaving = new Set(releasing.map(tagOf))
    let changed = false
    for (const tag of this.#proven) {
      // Whoever drops an item and claims it anew proves it anew.
      if (!this.#claims.has(tag) && !leaving.has(tag)) changed = this.#proven.delete(tag) || changed
    }
    for (const [tag, { since }] of this.#failed) {
      if (!this.#claims.has(tag) && now - since > rememberMs) changed = this.#failed.delete(tag) || changed
    }
    this.#review(now)
    return changed
  }

  /** Takes what is to be asked for first; it is told of by `passed`, `failed` or `unknown` then. */
  next(now: number): Task | undefined {
    this.#expire(now)
    const due = this.#earliest(now)
    const infoHash = due && this.#claims.get(due)
    if (due === undefined || infoHash === undefined) return undefined
    this.#asked.add(due)
    this.#plan()
    const piece = this.#failed.get(due)?.piece
    return piece === undefined ? { infoHash } : { infoHash, piece }
  }

  /** @returns whether the result is another than before */
  passed(infoHash: string, now: number): boolean {
    this.#expire(now)
    const tag = this.#answered(infoHash)
    if (!this.#claims.has(tag)) return this.#end(false)
    this.#open.delete(tag)
    this.#failed.delete(tag)
    // Threat: whoever drops what is old could have it count for ever by what is new.
    if (tag === this.#checked || this.#proven.size === 0) {
      this.#passedAt = now
      this.#nextCheck = this.#planned()
      this.#checked = undefined
    }
    this.#proven.add(tag)
    return this.#end(true)
  }

  /** @returns whether the result is another than before */
  failed(infoHash: string, piece: number, now: number): boolean {
    const tag = this.#answered(infoHash)
    // The holder took its claim back while it was asked.
    if (!this.#claims.has(tag)) return this.#end(false)
    const known = this.#failed.get(tag)
    const tries = (this.#open.get(tag)?.tries ?? 0) + 1
    this.#open.set(tag, { tries, dueAt: now + this.#after(tries, firstFailureMs, lastFailureMs) })
    if (known !== undefined) return this.#end(false)
    const wasProven = this.#proven.delete(tag)
    if (tag === this.#checked) this.#checked = undefined
    if (this.#hasRoom()) this.#failed.set(tag, { piece, since: now })
    else if (!wasProven) return this.#end(false)
    if (wasProven) this.#doubt(now)
    return this.#end(true)
  }

  /** There was no answer that says anything. */
  unknown(infoHash: string, now: number): void {
    const tag = this.#answered(infoHash)
    const isCheck = tag === this.#checked
    const tries = (isCheck ? this.#nextCheck : this.#open.get(tag))?.tries ?? 0
    const again = { tries: tries + 1, dueAt: now + this.#after(tries + 1, firstRetryMs, lastRetryMs) }
    if (isCheck) this.#nextCheck = again
    if (!isCheck || this.#open.has(tag)) this.#open.set(tag, again)
    this.#end(false)
  }

  /** The pieces this holder has to give before these items count again. */
  get failures(): { tag: string; piece: number; since: number }[] {
    return [...this.#failed].map(([tag, failure]) => ({ tag, ...failure }))
  }

  /**
   * What is published.
   * @param ahead milliseconds that the clock of `now` is ahead of the one by which others live
   */
  result(ahead = 0): AuditResult {
    const told = (time: number): number => Math.max(0, time - ahead)
    return {
      passedAt: told(this.#passedAt),
      proven: packTags(this.#proven),
      failed: this.failures
        .map(({ since, ...failure }) => ({ ...failure, since: told(since) }))
        .toSorted((a, b) => (a.tag < b.tag ? -1 : 1)),
    }
  }

  #answered(infoHash: string): string {
    const tag = tagOf(infoHash)
    this.#asked.delete(tag)
    return tag
  }

  #end(changed: boolean): boolean {
    this.#plan()
    return changed
  }

  /** Brings what is to be asked for in line with what is claimed. */
  #review(now: number): void {
    for (const tag of this.#open.keys()) if (!this.#isWanted(tag)) this.#open.delete(tag)
    for (const tag of this.#claims.keys()) {
      const isNew = !this.#proven.has(tag) || this.#failed.has(tag)
      if (isNew && this.#isWanted(tag) && !this.#open.has(tag)) this.#open.set(tag, { dueAt: now, tries: 0 })
    }
    this.#plan()
  }

  /** What was proven before the bucket's proof ended says nothing, and must not begin to count again by one audit. */
  #expire(now: number): void {
    if (this.#proven.size === 0 || now - this.#passedAt < PROOF_LASTS) return
    this.#proven.clear()
    this.#checked = undefined
    this.#review(now)
  }

  #isWanted(tag: string): boolean {
    return this.#claims.has(tag) && (this.#charged || this.#failed.has(tag))
  }

  #doubt(now: number): void {
    for (const tag of this.#proven) {
      if (this.#isWanted(tag) && !this.#open.has(tag)) {
        this.#open.set(tag, { dueAt: now + this.#random() * doubtMs, tries: 0 })
      }
    }
  }

  #hasRoom(): boolean {
    if (this.#failed.size < MOST_FAILURES) return true
    const dropped = [...this.#failed.keys()].find((tag) => !this.#claims.has(tag))
    return dropped !== undefined && this.#failed.delete(dropped)
  }

  #planned(): Open {
    return { dueAt: this.#passedAt + PROOF_LASTS - aheadMs - this.#random() * spreadMs, tries: 0 }
  }

  #plan(): void {
    let dueAt = this.#checks() ? this.#nextCheck.dueAt : Infinity
    for (const [tag, open] of this.#open) if (!this.#asked.has(tag)) dueAt = Math.min(dueAt, open.dueAt)
    this.#dueAt = dueAt
  }

  /** Whether there is an item for the daily audit to be about, and none is asked for. */
  #checks(): boolean {
    if (!this.#charged) return false
    const checked = this.#toCheck()
    if (checked !== undefined) return this.#claims.has(checked) && !this.#asked.has(checked)
    return [...this.#claims.keys()].some((tag) => this.#proven.has(tag))
  }

  /** Threat: whoever says for a moment that it releases what it is asked for would be asked for another item. */
  #toCheck(): string | undefined {
    return this.#checked !== undefined && this.#proven.has(this.#checked) ? this.#checked : undefined
  }

  /** The tag to ask for first: the daily audit's goes before new ones, of which there may always be some. */
  #earliest(now: number): string | undefined {
    if (this.#dueAt > now) return undefined
    if (this.#nextCheck.dueAt <= now && this.#checks()) {
      this.#checked = this.#toCheck() ?? this.#any()
      if (this.#checked !== undefined && !this.#asked.has(this.#checked)) return this.#checked
    }
    for (const [tag, { dueAt }] of this.#open) if (dueAt <= now && !this.#asked.has(tag)) return tag
    return undefined
  }

  #any(): string | undefined {
    const proven = [...this.#claims.keys()].filter((tag) => this.#proven.has(tag))
    return proven[Math.floor(this.#random() * proven.length)]
  }

  #after(tries: number, first: number, last: number): number {
    return Math.min(last, first * 2 ** (tries - 1)) * (0.75 + this.#random() / 2)
  }
}
