import { setImmediate as nextTurn } from 'node:timers/promises'
import { auditKey, Auditors, type AuditResult, bucketOf, type Graph, type NodeId, readAuditKey } from '@eldernode/core'
import type { Logger } from 'pino'
import { BucketAudit, type Task } from './bucket-audit.ts'
import { HolderAudits } from './holder-audits.ts'
import type { Outcome } from './outcome.ts'
import { ResultsNotice } from './results-notice.ts'
import { Share } from './share.ts'
import { SteadyClock } from './steady-clock.ts'

/** Somebody who may live, by its heartbeats. */
export interface Neighbour {
  id: NodeId
  suspected: boolean
}

export interface AuditorOptions {
  self: NodeId
  graph: Pick<Graph, 'admits' | 'entries' | 'get' | 'members' | 'publish' | 'watch'>
  /** Members that were heard from within the grace time, this node included. */
  members(): readonly Neighbour[]
  /** Whether the links are in step, so that it is known who claims what. */
  inStep(): boolean
  /** Asks a holder for a piece. Throws nothing but the reason of an ended `signal`. */
  audit(holder: NodeId, task: Task, signal: AbortSignal): Promise<Outcome>
  told(holder: NodeId, task: Task, outcome: Outcome): void
  now: () => number
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
  random: () => number
  log: Pick<Logger, 'error'>
}

const lookMs = 1_000
/** Buckets looked at before others have their turn. */
const atOnce = 16
/** After a start members are taken for alive for so long: none of them was heard from yet. */
const strangeMs = 30_000

/**
 * Audits the buckets that this node is charged with. Level-triggered: what to ask for follows from who lives, what they
 * claim and what is known already, all of which is looked at anew every second and after each change.
 */
export class Auditor {
  readonly #options: AuditorOptions
  readonly #auditors = new Auditors()
  /** Keys under which this node told the network something. */
  readonly #told = new Set<string>()
  /** Buckets in which a holder ever said anything. */
  readonly #said = new Map<NodeId, Set<string>>()
  /** In the order in which they are served. */
  readonly #holders = new Map<NodeId, HolderAudits>()
  readonly #notice: ResultsNotice
  readonly #share = new Share()
  readonly #clock: SteadyClock
  readonly #running = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  #live = new Map<NodeId, Neighbour>()
  #stale = new Set<string>()
  #work: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #unwatch = (): void => undefined
  #strangeUntil = Infinity
  #closed = false

  constructor(options: AuditorOptions) {
    this.#options = options
    this.#clock = new SteadyClock(options)
    this.#notice = new ResultsNotice({ ...options, resultOf: (key) => this.#resultOf(key) })
  }

  /** How many audits are under way. */
  get running(): number {
    return this.#running.size
  }

  /** How many buckets this node audits. */
  get buckets(): number {
    let count = 0
    for (const { buckets } of this.#holders.values())
      for (const { charged } of buckets.values()) count += Number(charged)
    return count
  }

  async start(): Promise<void> {
    const { graph } = this.#options
    this.#unwatch = graph.watch('h', ({ pub, soul }) => {
      this.#heard(pub, soul)
      this.#stale.add(auditKey(pub, soul.slice(-2)))
      this.#plan(0)
    })
    let read = 0
    for (const { pub, soul } of graph.entries('h')) {
      this.#heard(pub, soul)
      if (++read % atOnce === 0) await nextTurn()
    }
    for (const { key } of graph.entries('a', this.#options.self)) {
      this.#told.add(key)
      if (++read % atOnce === 0) await nextTurn()
    }
    this.#plan(lookMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    clearTimeout(this.#timer)
    this.#abort.abort()
    await this.#work
    await Promise.all(this.#running)
    await this.#notice.close()
  }

  /** The bucket is the last part of the soul. */
  #heard(holder: NodeId, soul: string): void {
    if (holder === this.#options.self) return
    const said = this.#said.get(holder) ?? new Set()
    this.#said.set(holder, said.add(soul.slice(-2)))
  }

  #plan(inMs: number): void {
    if (this.#closed || this.#work !== undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#work = this.#look()
        .catch((error: unknown) => this.#options.log.error({ err: error }, 'claims could not be looked at'))
        .finally(() => {
          this.#work = undefined
          this.#plan(this.#stale.size > 0 ? 0 : lookMs)
        })
    }, inMs)
  }

  async #look(): Promise<void> {
    const { graph, self, inStep } = this.#options
    if (!inStep() || !graph.admits(self, 'auditor')) return
    if (this.#strangeUntil === Infinity) this.#strangeUntil = this.#clock.now() + strangeMs
    if (this.#meet()) await this.#chargeAll()
    else await this.#chargeStale()
    this.#pump()
  }

  /** Looks at who lives. @returns whether other members are auditors now */
  #meet(): boolean {
    const { graph, members } = this.#options
    const before = this.#live
    this.#live = new Map(members().map((member) => [member.id, member]))
    for (const id of this.#live.keys()) if (!before.has(id)) this.#holders.get(id)?.resume()
    const certified = [...graph.members('auditor')]
    const isStrange = this.#clock.now() < this.#strangeUntil
    const lives = (id: NodeId) => isStrange || this.#live.get(id)?.suspected === false
    return this.#auditors.set(certified.filter(lives))
  }

  async #chargeAll(): Promise<void> {
    this.#stale.clear()
    const all = [...this.#said].flatMap(([holder, said]) => [...said].map((bucket) => auditKey(holder, bucket)))
    await this.#chargeEach(all)
  }

  async #chargeStale(): Promise<void> {
    const stale = this.#stale
    this.#stale = new Set()
    await this.#chargeEach(stale)
  }

  async #chargeEach(keys: Iterable<string>): Promise<void> {
    let done = 0
    for (const key of keys) {
      const place = readAuditKey(key)
      if (place !== undefined) this.#charge(place.holder, place.bucket)
      if (++done % atOnce === 0) await nextTurn()
      if (this.#closed) return
    }
  }

  /** Brings what is known of one bucket in line with what its holder claims, and with who is to audit it. */
  #charge(holder: NodeId, bucket: string): void {
    const { self, graph, random } = this.#options
    if (holder === self) return
    const now = this.#clock.now()
    const isCharged = graph.admits(holder, 'seeder') && this.#auditors.of(holder, bucket).includes(self)
    const key = auditKey(holder, bucket)
    const known = this.#holders.get(holder)?.buckets.get(bucket)
    if (!isCharged && known === undefined && !this.#told.has(key)) return
    const audit = known ?? new BucketAudit(graph.get('a', self, key)?.body, random, now)
    // What was said is kept in order for as long as it counts, whoever is charged.
    if (!isCharged && !audit.speaksAt(now)) return this.#drop(holder, bucket)
    const held: string[] = []
    const releasing: string[] = []
    for (const branch of [bucket, `x/${bucket}`]) {
      const said = graph.get('h', holder, branch)?.body
      held.push(...(said?.held ?? []))
      releasing.push(...(said?.releasing ?? []))
    }
    audit.charge(isCharged, now)
    if (audit.claim({ held, releasing }, now)) this.#notice.changed(key)
    this.#holderOf(holder).buckets.set(bucket, audit)
    this.#holderOf(holder).stir()
  }

  #drop(holder: NodeId, bucket: string): void {
    const audits = this.#holders.get(holder)
    if (audits?.buckets.delete(bucket) === true && audits.buckets.size === 0 && audits.isIdle)
      this.#holders.delete(holder)
  }

  #holderOf(holder: NodeId): HolderAudits {
    let audits = this.#holders.get(holder)
    if (audits === undefined) this.#holders.set(holder, (audits = new HolderAudits(holder)))
    return audits
  }

  #resultOf(key: string): AuditResult | undefined {
    const place = readAuditKey(key)
    this.#told.add(key)
    return place && this.#holders.get(place.holder)?.buckets.get(place.bucket)?.result(this.#clock.ahead)
  }

  /** Begins audits until no place is free, or nothing is due. */
  #pump(): void {
    if (this.#closed) return
    let passedOver = 0
    while (this.#running.size < this.#share.size && passedOver < this.#holders.size) {
      const [holder] = this.#holders.values()
      if (holder === undefined) return
      // Each in its turn.
      this.#holders.delete(holder.id)
      this.#holders.set(holder.id, holder)
      const due = this.#live.has(holder.id) ? holder.take(this.#clock.now()) : undefined
      passedOver = due === undefined ? passedOver + 1 : 0
      if (due !== undefined) this.#begin(holder, due.bucket, due.task)
    }
  }

  #begin(holder: HolderAudits, bucket: string, task: Task): void {
    const running = this.#options
      .audit(holder.id, task, this.#abort.signal)
      .then(
        (outcome) => this.#take(holder, bucket, task, outcome),
        (error: unknown) => {
          if (!this.#closed) this.#options.log.error({ err: error, holder: holder.id }, 'an audit failed by itself')
          this.#take(holder, bucket, task, { what: 'silent', reason: String(error) })
        },
      )
      .finally(() => {
        this.#running.delete(running)
        this.#pump()
      })
    this.#running.add(running)
  }

  #take(holder: HolderAudits, bucket: string, task: Task, outcome: Outcome): void {
    const now = this.#clock.now()
    const audit = holder.buckets.get(bucket)
    const changed = audit !== undefined && judge(audit, task, outcome, now)
    if (outcome.what === 'silent') holder.silent(now, this.#options.random)
    else holder.answered()
    if (outcome.what === 'passed') this.#share.passed()
    else if (outcome.what === 'late') this.#share.late()
    if (this.#closed) return
    this.#options.told(holder.id, task, outcome)
    if (changed) this.#notice.changed(auditKey(holder.id, bucketOf(task.infoHash)))
  }
}

/** @returns whether the result is another than before */
function judge(audit: BucketAudit, { infoHash }: Task, outcome: Outcome, now: number): boolean {
  switch (outcome.what) {
    case 'passed':
      return audit.passed(infoHash, now)
    case 'failed':
      return audit.failed(infoHash, outcome.piece, now)
    case 'late':
    case 'silent':
      audit.unknown(infoHash, now)
      return false
  }
}
