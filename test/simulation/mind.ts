import {
  assess,
  Demands,
  HolderIndex,
  NetworkView,
  Presence,
  ProofIndex,
  Releases,
  Unproven,
  type Assessment,
  type Demand,
  type Heartbeat,
  type NodeId,
} from '@eldernode/core'
import { Auditor } from './auditor.ts'
import { Jobs } from './jobs.ts'
import type { Machine } from './machine.ts'
import { Notice } from './notice.ts'
import type { Value } from './store.ts'
import type { Beat, Item, World } from './world.ts'

const heartbeatTime = 15_000
const sumsTime = 30_000
const passTime = 1_800_000
const settleTime = 5_000
/** A node whose last signed time is further ahead of its clock publishes nothing. */
const mostAhead = 300_000

/** The process of a node: core's own parts, wired as replication wires them, with what is around them played. */
export class Mind {
  readonly presence: Presence
  readonly view: NetworkView
  readonly demands = new Demands()
  readonly releases = new Releases()
  readonly #world: World
  readonly #machine: Machine
  readonly #index = new HolderIndex()
  readonly #proofs = new ProofIndex()
  readonly #notice: Notice
  readonly #unproven: Unproven
  readonly #jobs: Jobs
  readonly #auditor: Auditor
  readonly #touched = new Set<string>()
  #passWanted = true
  #working = false
  #wasSettled = false
  #lastTick = 0
  #lastPass = 0
  /** Its clock is behind what it signed before: it says so, and nothing else. */
  clockBehind = false

  constructor(world: World, machine: Machine) {
    this.#world = world
    this.#machine = machine
    const clock = (): number => world.now
    const now = (): number => world.now + machine.skew
    this.presence = new Presence({ self: machine.id, graceMs: world.rules.graceMs ?? world.graceMs, now, clock })
    this.#unproven = new Unproven(clock, world.graceMs)
    const { rules } = world
    this.view = new NetworkView({
      self: machine.id,
      presence: this.presence,
      index: this.#index,
      proofs: { proofOf: (...about) => rules.proof(this.#proofs.proofOf(...about)) },
      unproven: { vain: (...about) => (rules.skips ? this.#unproven.vain(...about) : 0) },
      own: (infoHash) => this.#notice.get(infoHash),
      isPinned: () => false,
      now,
    })
    this.#notice = new Notice(
      world,
      machine,
      (bucket, body) => this.#publish({ kind: 'h', key: bucket, body }),
      (infoHash) => this.releases.told(infoHash, world.now),
    )
    this.#jobs = new Jobs(world, machine, (item) => this.#hold(item))
    this.#auditor = new Auditor(
      world,
      machine,
      (holder, bucket) => this.#claims(holder, bucket),
      (key, body) => this.#publish({ kind: 'a', key, body }),
    )
  }

  start(): void {
    this.#proofs.trust(this.#world.machines.map(({ id }) => id))
    for (const value of this.#machine.store) this.#apply(value)
    this.#notice.start()
    this.#every(heartbeatTime, () => this.#tick())
    this.#every(sumsTime, () => this.#sync())
    this.#wake()
  }

  see(beat: Beat): void {
    const sight = this.presence.see(beat)
    if (sight === 'same' || sight === 'old') return
    this.#passWanted = true
    this.#auditor.meet(this.presence.live().map(({ id }) => id))
    this.#wake()
  }

  take(value: Value): void {
    if (!this.#machine.store.put(value)) return
    for (const infoHash of this.#apply(value)) this.#touched.add(infoHash)
    this.#wake()
  }

  /** A user publishes an item here. */
  publish(item: Item): void {
    const { infoHash, size, min, target } = item
    this.#publish({ kind: 'm', key: infoHash, body: { size, min, target, state: 'live' } })
    this.#hold(item)
  }

  retract({ infoHash, size, min, target }: Item): void {
    this.#publish({ kind: 'm', key: infoHash, body: { size, min, target, state: 'retracted' } })
  }

  /** The disk turned out to hold wrong bytes: they count no more, and are fetched again. */
  discover(infoHash: string): void {
    this.#drop(infoHash)
    this.#touched.add(infoHash)
    this.#wake()
  }

  assess(infoHash: string): Assessment {
    return assess(this.demands.get(infoHash)!, this.view)
  }

  isMarked(infoHash: string): boolean {
    return this.#notice.get(infoHash) === 'releasing'
  }

  #every(time: number, act: () => void): void {
    const again = (): void => {
      act()
      this.#world.later(time, this.#machine, again)
    }
    this.#world.later(this.#world.random() * time, this.#machine, again)
  }

  #tick(): void {
    this.#beat()
    if (this.presence.bury().length > 0) {
      this.#passWanted = true
      this.#auditor.meet(this.presence.live().map(({ id }) => id))
    }
    const isSettled = this.presence.isSettled()
    if (isSettled !== this.#wasSettled || this.#world.now - this.#lastPass > passTime) this.#passWanted = true
    this.#wasSettled = isSettled
    for (const infoHash of this.#unproven.overdue(this.#lastTick)) this.#touched.add(infoHash)
    for (const infoHash of this.releases.due(this.#world.now)) this.#touched.add(infoHash)
    this.#lastTick = this.#world.now
    this.#wake()
  }

  #beat(): void {
    const ts = this.#nextTs()
    if (ts === undefined) return
    const { id, zone, operator, capacity, used, draining } = this.#machine
    const body: Heartbeat = {
      endpoints: { http: 'http://node.example' },
      zone,
      operator,
      state: draining ? 'draining' : 'active',
      capacity: { bytes: capacity, used, free: capacity - used },
      load: { up: 0, down: 0, connections: 0 },
      counts: { items: 0, awake: 0, queue: 0 },
      version: '0',
    }
    this.see({ pub: id, ts, body })
    this.#world.beat(this.#machine, { pub: id, ts, body })
  }

  #sync(): void {
    const others = this.#world.machines.filter((one) => one !== this.#machine)
    const other = others[Math.floor(this.#world.random() * others.length)]
    if (other !== undefined) this.#world.sync(this.#machine, other)
  }

  /** @returns the items that are to be looked at */
  #apply(value: Value): string[] {
    switch (value.kind) {
      case 'm': {
        const { state, ...asking } = value.body
        this.demands.set(value.pub, value.key, state === 'live' ? { ...asking, since: value.ts } : undefined)
        return [value.key]
      }
      case 'h': {
        const changed = this.#index.set(value.pub, value.key, value.body)
        this.#auditor.look(value.pub, value.key)
        return changed
      }
      case 'a':
        return this.#proofs.set(value).flatMap((tag) => this.#world.tags.get(tag) ?? [])
    }
  }

  #claims(holder: NodeId, bucket: string): string[] {
    const said = this.#machine.store.get(holder, 'h', bucket)
    return said?.kind === 'h' ? [...said.body.held, ...said.body.releasing] : []
  }

  #publish(
    value: { [K in Value['kind']]: Pick<Value & { kind: K }, 'kind' | 'key' | 'body'> }[Value['kind']],
  ): boolean {
    const ts = this.#nextTs()
    if (ts === undefined) return false
    const signed: Value = { ...value, pub: this.#machine.id, ts }
    this.take(signed)
    this.#world.say(this.#machine, signed)
    return true
  }

  #nextTs(): number | undefined {
    const now = this.#world.now + this.#machine.skew
    this.clockBehind = this.#machine.lastTs - now > mostAhead
    if (this.clockBehind) return undefined
    this.#machine.lastTs = Math.max(now, this.#machine.lastTs + 1)
    return this.#machine.lastTs
  }

  #wake(): void {
    if (this.#working) return
    this.#working = true
    this.#world.later(settleTime, this.#machine, () => {
      this.#working = false
      this.#work()
    })
  }

  #work(): void {
    const touched = [...this.#touched]
    this.#touched.clear()
    if (this.#passWanted) {
      this.#passWanted = false
      this.#lastPass = this.#world.now
      for (const demand of this.demands) this.#decide(demand)
    } else {
      for (const infoHash of touched) {
        const demand = this.demands.get(infoHash)
        if (demand !== undefined) this.#decide(demand)
      }
    }
    for (const infoHash of touched) if (this.demands.get(infoHash) === undefined) this.#takeDown(infoHash)
  }

  #decide(demand: Demand): void {
    const { infoHash, target } = demand
    const { rules } = this.#world
    const assessment = rules.assess(demand, this.view)
    this.#unproven.note(demand, assessment, this.view)
    if (assessment.copies.length >= target) this.demands.reach(infoHash)
    const duty = rules.duty(demand, assessment, this.view)
    const self = this.view.member(this.#machine.id)
    if (duty.do === 'fetch' && self !== undefined) this.#jobs.want(this.#world.items.get(infoHash)!, duty, self)
    else this.#jobs.cancel(infoHash)
    switch (rules.step(this.releases, infoHash, duty, assessment, this.view, this.#world.now)) {
      case 'mark':
        return this.#notice.say(infoHash, 'releasing')
      case 'unmark':
        return this.#notice.say(infoHash, 'held')
      case 'go':
        this.#world.witness?.releasing(this.#machine, this.#world.items.get(infoHash)!)
        return this.#drop(infoHash)
      case 'wait':
      case 'nothing':
    }
  }

  #hold(item: Item): void {
    // Who lies claims, and writes nothing.
    if (this.#machine.isHonest) {
      this.#machine.disk.set(item.infoHash, 'sound')
      this.#machine.used += item.size
    }
    this.#notice.say(item.infoHash, 'held')
  }

  #takeDown(infoHash: string): void {
    this.#jobs.cancel(infoHash)
    this.#unproven.forget(infoHash)
    this.#drop(infoHash)
  }

  #drop(infoHash: string): void {
    if (this.#machine.disk.delete(infoHash)) this.#machine.used -= this.#world.items.get(infoHash)!.size
    this.releases.forget(infoHash)
    this.#notice.say(infoHash, undefined)
  }
}
