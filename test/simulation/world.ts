import type { Heartbeat, NodeId } from '@eldernode/core'
import { Clockwork } from './clockwork.ts'
import type { Machine } from './machine.ts'
import type { Rules } from './rules.ts'
import type { Value } from './store.ts'

export interface Item {
  infoHash: string
  /** Bytes. */
  size: number
  min: number
  target: number
}

/** Told what happens to bytes, to judge by. */
export interface Witness {
  arrived(machine: Machine, item: Item, bytes: number): void
  releasing(machine: Machine, item: Item): void
}

export interface Beat {
  pub: NodeId
  ts: number
  body: Heartbeat
}

/** A clock further off than this is not listened to, in milliseconds. */
const mostSkew = 300_000

/** What is true, and the wires between the machines: values are lost and late, and no two wait alike. */
export class World {
  readonly clockwork = new Clockwork()
  readonly machines: Machine[] = []
  readonly items = new Map<string, Item>()
  /** By the first 8 bytes of the infohash. */
  readonly tags = new Map<string, string>()
  readonly random: () => number
  readonly rules: Rules
  readonly graceMs: number
  readonly #byId = new Map<NodeId, Machine>()
  witness: Witness | undefined
  /** The share of messages that are lost. */
  loss = 0.02

  constructor(random: () => number, rules: Rules, graceMs: number) {
    this.random = random
    this.rules = rules
    this.graceMs = graceMs
  }

  get now(): number {
    return this.clockwork.now
  }

  join(machine: Machine): void {
    this.machines.push(machine)
    this.#byId.set(machine.id, machine)
  }

  add(item: Item): void {
    this.items.set(item.infoHash, item)
    this.tags.set(item.infoHash.slice(0, 16), item.infoHash)
  }

  machine(id: NodeId): Machine {
    return this.#byId.get(id)!
  }

  /** From `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.random() * (high - low)
  }

  reaches(from: Machine, to: Machine): boolean {
    return from.mind !== undefined && to.mind !== undefined && from.part === to.part
  }

  isFrozen({ frozenUntil }: Machine): boolean {
    return frozenUntil > this.now
  }

  /** Does something in a machine's process, once it runs on; what a process that ended had planned is not done. */
  within(machine: Machine, act: (mind: NonNullable<Machine['mind']>) => void, only = machine.mind): void {
    if (machine.mind === undefined || machine.mind !== only) return
    if (this.isFrozen(machine)) this.clockwork.at(machine.frozenUntil + 1, () => this.within(machine, act, only))
    else act(machine.mind)
  }

  later(delay: number, machine: Machine, act: (mind: NonNullable<Machine['mind']>) => void): void {
    const only = machine.mind
    this.clockwork.after(delay, () => this.within(machine, act, only))
  }

  beat(from: Machine, beat: Beat): void {
    this.#send(from, (to) => {
      if (Math.abs(beat.ts - (this.now + to.skew)) <= mostSkew) to.mind?.see(beat)
      else to.mind?.presence.refused(beat.pub, beat.ts)
    })
  }

  say(from: Machine, value: Value): void {
    this.#send(from, (to) => this.#hand(value, to))
  }

  /** What two nodes do every 30 s: each tells what the other does not have. */
  sync(one: Machine, other: Machine): void {
    if (!this.reaches(one, other) || this.isFrozen(one) || this.isFrozen(other)) return
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const value of from.store.missingAt(to.store)) this.#hand(value, to)
    }
  }

  #hand(value: Value, to: Machine): void {
    if (value.ts - (this.now + to.skew) <= mostSkew) to.mind?.take(value)
  }

  /** All at one moment, for so many events would take longer than all the rest. */
  #send(from: Machine, take: (to: Machine) => void): void {
    this.clockwork.after(this.between(10, 800), () => {
      for (const to of this.machines) {
        if (to !== from && this.reaches(from, to) && this.random() >= this.loss) this.within(to, () => take(to))
      }
    })
  }
}
