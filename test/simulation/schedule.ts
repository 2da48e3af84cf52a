import type { Judge } from './judge.ts'
import type { Machine } from './machine.ts'
import { Mind } from './mind.ts'
import type { World } from './world.ts'

const minute = 60_000

/** What goes wrong, when, and for how long: all of it follows from the seed. */
export class Schedule {
  readonly log: string[] = []
  readonly #world: World
  readonly #judge: Judge
  readonly #troubled = new Set<Machine>()
  /** No copy is destroyed for good before the last loss is made good. */
  #nextLoss = 0
  /** When all is over. */
  end = 0

  constructor(world: World, judge: Judge) {
    this.#world = world
    this.#judge = judge
  }

  /** Plans so many faults, the first at `from`. */
  plan(faults: number, from: number): void {
    let at = from
    for (let i = 0; i < faults; i++) {
      this.#world.clockwork.at(at, () => this.#strike())
      at += this.#world.between(2, 9) * minute
    }
    this.end = at
  }

  boot(machine: Machine): void {
    machine.mind = new Mind(this.#world, machine)
    machine.mind.start()
  }

  #strike(): void {
    const world = this.#world
    const free = world.machines.filter((one) => one.isHonest && one.mind !== undefined && !this.#troubled.has(one))
    const machine = free[Math.floor(world.random() * free.length)]
    if (machine === undefined || this.#troubled.size >= 3) return this.#note('nothing', undefined)
    const faults = [
      () => this.#crash(machine, world.between(0.3, 25) * minute, false),
      () => this.#crash(machine, world.between(0.3, 25) * minute, false),
      () => this.#crash(machine, world.between(2, 25) * minute, true),
      () => this.#crash(machine, Infinity, true),
      () => this.#freeze(machine, world.between(0.3, 20) * minute),
      () => this.#part(world.between(0.3, 20) * minute),
      () => this.#skew(machine),
      () => this.#rot(machine),
      () => this.#move(machine),
      () => this.#drain(machine),
      () => this.#deafen(world.between(0.5, 3) * minute),
      () => this.#retract(),
    ]
    faults[Math.floor(world.random() * faults.length)]!()
  }

  #crash(machine: Machine, forMs: number, wipes: boolean): void {
    if (wipes && !this.#mayLose(machine)) return this.#note('nothing', undefined)
    this.#note(`crash for ${seconds(forMs)}${wipes ? ', its disk is lost' : ''}`, machine)
    this.#trouble(machine, forMs)
    machine.mind = undefined
    this.#judge.silent(machine)
    if (wipes) this.#world.clockwork.after(minute, () => this.#wipe(machine))
    if (forMs === Infinity) return
    this.#world.clockwork.after(forMs, () => {
      this.boot(machine)
      this.#judge.heard(machine)
    })
  }

  #wipe(machine: Machine): void {
    machine.disk.clear()
    machine.used = 0
  }

  #freeze(machine: Machine, forMs: number): void {
    this.#note(`stopped for ${seconds(forMs)}`, machine)
    this.#trouble(machine, forMs)
    machine.frozenUntil = this.#world.now + forMs
    this.#judge.silent(machine)
    this.#world.clockwork.after(forMs, () => this.#judge.heard(machine))
  }

  #part(forMs: number): void {
    const { machines } = this.#world
    if (machines.some(({ part }) => part !== 0)) return
    const away = machines.filter(() => this.#world.random() < 0.35)
    this.#note(`partition of ${away.length} for ${seconds(forMs)}`, undefined)
    for (const machine of away) machine.part = 1
    this.#judge.parted()
    this.#until(forMs)
    this.#world.clockwork.after(forMs, () => {
      for (const machine of machines) machine.part = 0
      this.#judge.healed()
    })
  }

  /** Up to four minutes from anybody else's do no harm; with more the node counts as silent. */
  #skew(machine: Machine): void {
    const isFar = this.#world.random() < 0.4
    const right = this.#world.machines.filter((one) => one !== machine && Math.abs(one.skew) <= 4 * minute)
    const others = right.map(({ skew }) => skew)
    const [least, most] = [Math.max(...others) - 4 * minute, Math.min(...others) + 4 * minute]
    const far = this.#world.between(9, 15) * minute * (this.#world.random() < 0.5 ? -1 : 1)
    const to = isFar ? far : this.#world.between(least, most)
    const forMs = this.#world.between(1, 15) * minute
    this.#note(`clock ${seconds(to)} off for ${seconds(forMs)}`, machine)
    this.#trouble(machine, isFar ? forMs + 16 * minute : forMs)
    const before = machine.skew
    machine.skew = to
    if (isFar) this.#judge.silent(machine)
    this.#world.clockwork.after(forMs, () => {
      machine.skew = before
      // What it signed ahead of its time it has to wait for, until the last of the others takes it.
      const behind = Math.min(...this.#world.machines.map(({ skew }) => skew))
      const heardIn = Math.max(0, machine.lastTs - (this.#world.now + behind) - 5 * minute)
      if (isFar) this.#world.clockwork.after(heardIn, () => this.#judge.heard(machine))
    })
  }

  /** Bytes go wrong, and the scrub finds it some minutes later. */
  #rot(machine: Machine): void {
    const { world, judge } = { world: this.#world, judge: this.#judge }
    const others = (infoHash: string): number =>
      world.machines.filter((one) => one !== machine && one.has(infoHash) && !this.#troubled.has(one)).length
    const rotten = [...machine.disk.keys()].filter((one) => world.random() < 0.1 && others(one) >= 2)
    this.#note(`${rotten.length} items rot`, machine)
    for (const infoHash of rotten) {
      machine.disk.set(infoHash, 'rotten')
      judge.lostUnseen(machine, infoHash)
      world.later(world.between(0.5, 4) * minute, machine, (mind) => {
        if (machine.disk.get(infoHash) !== 'rotten') return
        mind.discover(infoHash)
        judge.changed()
      })
    }
    this.#until(5 * minute)
  }

  #move(machine: Machine): void {
    const { machines } = this.#world
    const { zone } = machines[Math.floor(this.#world.random() * machines.length)]!
    this.#note(`moves to zone ${zone}`, machine)
    machine.zone = zone
    this.#judge.changed()
    this.#until(minute)
  }

  /** Its copies are made elsewhere; then it goes, or stays after all. */
  #drain(machine: Machine): void {
    const forMs = this.#world.between(5, 20) * minute
    this.#note(`drains for ${seconds(forMs)}`, machine)
    this.#trouble(machine, forMs)
    machine.draining = true
    this.#judge.changed()
    this.#world.clockwork.after(forMs, () => {
      machine.draining = false
      this.#judge.changed()
    })
  }

  #deafen(forMs: number): void {
    const { loss } = this.#world
    this.#world.loss = 0.5
    this.#note(`half of all messages are lost for ${seconds(forMs)}`, undefined)
    this.#until(forMs)
    this.#world.clockwork.after(forMs, () => {
      this.#world.loss = Math.min(loss, 0.1)
    })
  }

  #retract(): void {
    this.#note('some items are retracted', undefined)
    const published = this.#judge.publications()
    for (const [infoHash, machine] of published) {
      if (this.#world.random() > 0.05 || machine.mind === undefined || this.#world.isFrozen(machine)) continue
      const item = this.#world.items.get(infoHash)!
      machine.mind.retract(item)
      this.#judge.retracted(item)
    }
    this.#until(minute)
  }

  /** Of each item another copy is left, on a machine that nothing happens to until this loss is made good. */
  #mayLose(machine: Machine): boolean {
    if (this.#world.now < this.#nextLoss) return false
    const others = this.#world.machines.filter((one) => one !== machine && !this.#troubled.has(one))
    if (![...machine.disk.keys()].every((infoHash) => others.some((one) => one.has(infoHash)))) return false
    this.#nextLoss = this.#world.now + this.#world.graceMs + 15 * minute
    return true
  }

  #trouble(machine: Machine, forMs: number): void {
    this.#troubled.add(machine)
    if (forMs === Infinity)
      this.#world.clockwork.after(this.#world.graceMs + 5 * minute, () => this.#troubled.delete(machine))
    else this.#world.clockwork.after(forMs + minute, () => this.#troubled.delete(machine))
    this.#until(forMs === Infinity ? 0 : forMs)
  }

  #until(forMs: number): void {
    this.end = Math.max(this.end, this.#world.now + forMs)
  }

  #note(what: string, machine: Machine | undefined): void {
    const event = `${seconds(this.#world.now)}: ${machine === undefined ? '' : `${machine.id.slice(0, 4)} `}${what}`
    this.log.push(event)
    if (what !== 'nothing') this.#judge.budgets.begin(event, this.#world.loss)
  }
}

function seconds(ms: number): string {
  return ms === Infinity ? 'good' : `${Math.round(ms / 1000)} s`
}
