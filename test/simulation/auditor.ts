import { auditKey, Auditors, packTags, Pace, tagOf, type NodeId } from '@eldernode/core'
import type { Machine } from './machine.ts'
import type { Value } from './store.ts'
import type { World } from './world.ts'

interface Finding {
  passedAt: number
  proven: Set<string>
  failed: Map<string, number>
}

/** One node's audits of the others: what is new at once, what was not answered or failed again and again. */
export class Auditor {
  readonly #world: World
  readonly #machine: Machine
  readonly #auditors = new Auditors()
  readonly #findings = new Map<string, Finding>()
  readonly #running = new Set<string>()
  readonly #pace = new Pace()
  #publishingAt = Infinity
  readonly #claims: (holder: NodeId, bucket: string) => string[]
  readonly #publish: (key: string, body: (Value & { kind: 'a' })['body']) => boolean
  readonly #known = new Map<string, { holder: NodeId; bucket: string }>()

  constructor(
    world: World,
    machine: Machine,
    claims: (holder: NodeId, bucket: string) => string[],
    publish: (key: string, body: (Value & { kind: 'a' })['body']) => boolean,
  ) {
    this.#world = world
    this.#machine = machine
    this.#claims = claims
    this.#publish = publish
  }

  /** Who lives is known anew: some of their buckets may be this node's to audit now. */
  meet(live: Iterable<NodeId>): void {
    if (this.#auditors.set(live)) for (const { holder, bucket } of this.#known.values()) this.look(holder, bucket)
  }

  /** A holder says something else of a bucket. */
  look(holder: NodeId, bucket: string): void {
    const key = auditKey(holder, bucket)
    this.#known.set(key, { holder, bucket })
    if (holder === this.#machine.id || !this.#auditors.of(holder, bucket).includes(this.#machine.id)) return
    const claims = this.#claims(holder, bucket)
    const finding = this.#finding(key)
    const claimed = new Set(claims.map(tagOf))
    let changed = false
    for (const tag of finding.proven) if (!claimed.has(tag)) changed = finding.proven.delete(tag)
    for (const tag of finding.failed.keys()) if (!claimed.has(tag)) changed = finding.failed.delete(tag)
    for (const infoHash of claims) {
      const tag = tagOf(infoHash)
      if (!finding.proven.has(tag) || finding.failed.has(tag)) this.#audit(holder, infoHash, key, 1)
    }
    if (changed) this.#changed(key)
  }

  /** What a result was before this process began. */
  #finding(key: string): Finding {
    let finding = this.#findings.get(key)
    if (finding === undefined) {
      finding = { passedAt: 0, proven: new Set(), failed: new Map() }
      const said = this.#machine.store.get(this.#machine.id, 'a', key)
      if (said?.kind === 'a') for (const { tag, since } of said.body.failed) finding.failed.set(tag, since)
      this.#findings.set(key, finding)
    }
    return finding
  }

  #audit(holder: NodeId, infoHash: string, key: string, attempt: number): void {
    const name = `${holder}.${infoHash}`
    if (attempt === 1 && this.#running.has(name)) return
    this.#running.add(name)
    const wait = attempt === 1 ? this.#world.between(100, 2000) : Math.min(300_000, 15_000 * 2 ** (attempt - 1))
    this.#world.later(wait, this.#machine, () => {
      const bucket = infoHash.slice(0, 2)
      const stillClaimed = this.#claims(holder, bucket).includes(infoHash)
      if (!stillClaimed || !this.#auditors.of(holder, bucket).includes(this.#machine.id)) {
        this.#running.delete(name)
        return
      }
      const answer = this.#ask(this.#world.machine(holder), infoHash)
      const finding = this.#finding(key)
      const tag = tagOf(infoHash)
      if (answer === 'right') {
        finding.passedAt = this.#world.now + this.#machine.skew
        finding.proven.add(tag)
        finding.failed.delete(tag)
        this.#running.delete(name)
        this.#changed(key)
        return
      }
      if (answer === 'wrong' && !finding.failed.has(tag)) {
        finding.failed.set(tag, this.#world.now)
        this.#changed(key)
      }
      this.#audit(holder, infoHash, key, attempt + 1)
    })
  }

  #ask(holder: Machine, infoHash: string): 'right' | 'wrong' | 'none' {
    if (!this.#world.reaches(this.#machine, holder) || this.#world.isFrozen(holder)) return 'none'
    if (holder.character === 'proxy') return 'none'
    return holder.isHonest && holder.has(infoHash) ? 'right' : 'wrong'
  }

  #changed(key: string): void {
    this.#pace.changed(key, this.#world.now)
    this.#plan()
  }

  #plan(): void {
    const next = this.#pace.nextAt()
    if (next === undefined || next >= this.#publishingAt) return
    this.#publishingAt = next
    this.#world.later(Math.max(1, next - this.#world.now), this.#machine, () => this.#publishDue())
  }

  #publishDue(): void {
    this.#publishingAt = Infinity
    for (;;) {
      const key = this.#pace.take(this.#world.now)
      if (key === undefined) break
      const { passedAt, proven, failed } = this.#finding(key)
      const open = [...failed].map(([tag, since]) => ({ tag, piece: 0, since }))
      if (!this.#publish(key, { passedAt, proven: packTags(proven), failed: open }))
        this.#pace.changed(key, this.#world.now)
      this.#pace.published(400 + proven.size * 11, this.#world.now)
    }
    this.#plan()
  }
}
