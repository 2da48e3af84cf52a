import { Auditors, BELIEVED, candidate, wantedHolders, type Candidate } from '@eldernode/core'
import { Budgets } from './budgets.ts'
import type { Machine } from './machine.ts'
import type { Item, Witness, World } from './world.ts'

/** A node is given up this much before its grace is over, in milliseconds: its last heartbeat was before it fell silent. */
const early = 45_000
/** How long bytes that went wrong unseen are counted as there: nobody could know. */
const unseen = 1_200_000
/** Besides the time of grace: until all know, jitter, and the bytes. */
const transferMs = 180_000
/** Milliseconds after a partition in which what a part had nowhere may arrive there: it learns of the others one by one. */
const reunion = 20_000

/** Knows what is true, and says which promise was broken. */
export class Judge implements Witness {
  readonly violations: string[] = []
  readonly budgets = new Budgets()
  releases = 0
  readonly #world: World
  readonly #publishers = new Map<string, Machine>()
  readonly #silentSince = new Map<Machine, number>()
  #partedSince = Infinity
  #healedAt = -Infinity
  readonly #auditors = new Auditors()
  /** By holder and item: what is wanted in a part that has no copy of it. */
  readonly #longedFor = new Set<string>()
  readonly #belowSince = new Map<string, number>()
  readonly #lostUnseen = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    world.witness = this
  }

  published(machine: Machine, item: Item): void {
    this.#publishers.set(item.infoHash, machine)
    this.#owe(item)
  }

  retracted({ infoHash }: Item): void {
    this.#publishers.delete(infoHash)
  }

  publications(): Iterable<[infoHash: string, publisher: Machine]> {
    return [...this.#publishers]
  }

  arrived(machine: Machine, item: Item, bytes: number): void {
    // Who lies fetches nothing.
    if (!machine.isHonest) return
    const isReunited = this.#world.now - this.#healedAt < reunion
    if (isReunited && this.#longedFor.has(`${machine.id} ${item.infoHash}`)) this.budgets.owe(machine.id, item)
    this.budgets.arrived(machine.id, item, bytes)
  }

  /** Bytes became wrong, or went, and nobody was told. */
  lostUnseen(machine: Machine, infoHash: string): void {
    this.#lostUnseen.set(`${machine.id} ${infoHash}`, this.#world.now)
  }

  releasing(machine: Machine, { infoHash, target }: Item): void {
    if (!machine.isHonest) return
    this.releases++
    const sure = this.#world.machines.filter((one) => one !== machine && this.#seemsSound(one, infoHash)).length
    if (sure < target)
      this.#blame(`release: ${name(machine)} let ${infoHash} go, and ${sure} of ${target} copies are left`)
  }

  silent(machine: Machine): void {
    this.#silentSince.set(machine, this.#world.now)
    this.#forgive((infoHash) => machine.has(infoHash) || this.#ideal(infoHash).includes(machine.id))
    this.#world.clockwork.after(this.#world.graceMs - early, () => this.changed())
  }

  heard(machine: Machine): void {
    this.budgets.begin(`${name(machine)} came back`, this.#world.loss)
    this.#silentSince.delete(machine)
    this.changed()
  }

  parted(): void {
    this.#partedSince = this.#world.now
    this.#longedFor.clear()
    this.#forgive(() => true)
    this.#world.clockwork.after(this.#world.graceMs - early, () => this.changed())
  }

  healed(): void {
    this.budgets.begin('the partition was over', this.#world.loss)
    this.#partedSince = Infinity
    this.#healedAt = this.#world.now
    this.#forgive(() => true)
    this.changed()
  }

  /** Copies that are wanted from now on may cost their bytes, once. */
  changed(): void {
    for (const infoHash of this.#publishers.keys()) this.#owe(this.#world.items.get(infoHash)!)
  }

  /** Called every other minute. */
  watch(): void {
    const { now, graceMs, machines } = this.#world
    const liars = machines.filter(({ isHonest }) => !isHonest).length
    // A wanted holder that proves nothing is given as long again, before another is chosen.
    const limit = graceMs * (1 + liars) + transferMs
    for (const infoHash of this.#publishers.keys()) {
      const { min } = this.#world.items.get(infoHash)!
      if (this.#running(infoHash).length >= min || !this.#canHeal(infoHash)) this.#belowSince.delete(infoHash)
      else if (!this.#belowSince.has(infoHash)) this.#belowSince.set(infoHash, now)
      else if (now - this.#belowSince.get(infoHash)! > limit) {
        this.#blame(`min: ${infoHash} was below ${min} for more than ${limit / 1000} s`)
        this.#belowSince.set(infoHash, Infinity)
      }
    }
  }

  /** After the last fault and time to heal: everything is where it should be, and everybody knows. */
  finish(): void {
    for (const [infoHash, publisher] of this.#publishers) {
      const holders = this.#running(infoHash).map(({ id }) => id)
      const { length } = this.#ideal(infoHash)
      if (holders.length !== length) {
        this.#blame(`end: ${infoHash} of ${name(publisher)} is on ${names(holders)}, and ${length} are wanted`)
      }
      for (const machine of this.#world.machines) if (machine.isHonest) this.#checkView(machine, infoHash)
    }
    for (const { id, disk } of this.#world.machines) {
      for (const infoHash of disk.keys()) {
        if (!this.#publishers.has(infoHash))
          this.#blame(`end: ${id.slice(0, 4)} holds ${infoHash}, which was retracted`)
      }
    }
    for (const { after, moved, allowed } of this.budgets.exceeded())
      this.#blame(`bytes: ${moved} were moved where ${allowed} were newly wanted after ${after}`)
  }

  #checkView({ id, mind }: Machine, infoHash: string): void {
    if (mind === undefined || this.#silentSince.size > 0) return
    if (mind.demands.get(infoHash) === undefined)
      return this.#blame(`end: ${id.slice(0, 4)} does not know of ${infoHash}`)
    const { level, proven, copies, wanted } = mind.assess(infoHash)
    const enough = Math.min(this.#world.items.get(infoHash)!.target, this.#ideal(infoHash).length)
    if (proven < enough || level === 'surplus') {
      this.#blame(`end: ${id.slice(0, 4)} sees ${infoHash} ${level}, ${proven} proven of ${copies.length}`)
    }
    // Those whom nobody believes are not among the ideal ones, and must not be among those that are wanted in the end.
    if (!wanted.every((one) => this.#world.machine(one).has(infoHash))) {
      this.#blame(`end: ${id.slice(0, 4)} wants ${infoHash} on ${names(wanted)}, and not all of them have it`)
    }
    if (mind.isMarked(infoHash)) this.#blame(`end: ${id.slice(0, 4)} is still about to release ${infoHash}`)
  }

  #running(infoHash: string): Machine[] {
    return this.#world.machines.filter(
      (one) => one.has(infoHash) && one.mind !== undefined && !this.#world.isFrozen(one),
    )
  }

  #canHeal(infoHash: string): boolean {
    const { min } = this.#world.items.get(infoHash)!
    return this.#parts().some((part) => {
      const running = part.filter((one) => one.mind !== undefined && !this.#silentSince.has(one))
      return running.length > min && running.some((one) => one.has(infoHash))
    })
  }

  #owe(item: Item): void {
    for (const part of this.#parts()) {
      const isThere = part.some((one) => one.has(item.infoHash) && one.mind !== undefined)
      // Before and after it is known who lies, and whose copies nobody here is believed to have seen.
      const provable = part.filter((one) => one.has(item.infoHash) || this.#isProvable(one, item, part))
      const liars = part.filter(({ isHonest }) => !isHonest)
      const views = [this.#wanted(item, part), this.#wanted(item, part, liars), this.#wanted(item, provable)]
      if (liars.length > 1) views.push(...liars.map((one) => this.#wanted(item, part, [one])))
      for (const id of new Set(views.flat())) {
        const machine = this.#world.machine(id)
        if (!machine.isHonest || machine.has(item.infoHash)) continue
        if (isThere) this.budgets.owe(id, item)
        else this.#longedFor.add(`${id} ${item.infoHash}`)
      }
    }
  }

  /** Whether one of those who are believed of a machine's copies is on its side. */
  #isProvable({ id }: Machine, { infoHash }: Item, part: readonly Machine[]): boolean {
    if (part.length === this.#world.machines.length) return true
    this.#auditors.set(this.#world.machines.map((one) => one.id))
    const believed = this.#auditors.of(id, infoHash.slice(0, 2), BELIEVED)
    return part.some((one) => believed.includes(one.id))
  }

  #ideal(infoHash: string): string[] {
    return this.#wanted(this.#world.items.get(infoHash)!, this.#world.machines)
  }

  #wanted({ infoHash, size, target }: Item, among: readonly Machine[], liars: readonly Machine[] = []): string[] {
    const publisher = this.#publishers.get(infoHash)
    const wish = { infoHash, size, target, publishers: publisher === undefined ? [] : [publisher.id] }
    const holds = (id: string): boolean => this.#world.machine(id).has(infoHash)
    const live = among
      .filter((one) => (one.isHonest || liars.includes(one)) && !this.#isGivenUp(one))
      .map((one) => standing(one))
    return wantedHolders(wish, live, { holds, refused: () => false, vain: () => 0 })
  }

  #isGivenUp(machine: Machine): boolean {
    const since = this.#silentSince.get(machine)
    return since !== undefined && this.#world.now - since >= this.#world.graceMs - early
  }

  /** Those who have been apart for long enough to have given each other up. */
  #parts(): Machine[][] {
    const { machines, now, graceMs } = this.#world
    if (now - this.#partedSince < graceMs - early) return [machines]
    return [...new Set(machines.map(({ part }) => part))].map((part) => machines.filter((one) => one.part === part))
  }

  #seemsSound(machine: Machine, infoHash: string): boolean {
    const lostAt = this.#lostUnseen.get(`${machine.id} ${infoHash}`) ?? -Infinity
    return machine.has(infoHash) || this.#world.now - lostAt < unseen
  }

  /** A new fault: who is affected by it has the whole time again. */
  #forgive(isAffected: (infoHash: string) => boolean): void {
    for (const infoHash of this.#belowSince.keys()) if (isAffected(infoHash)) this.#belowSince.delete(infoHash)
  }

  #blame(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${(this.#world.now / 1000).toFixed(1)} s ${what}`)
  }
}

const names = (ids: readonly string[]): string => ids.map((id) => id.slice(0, 4)).join(' ')
const name = ({ id }: Machine): string => id.slice(0, 4)

const known = new WeakMap<Machine, Candidate>()

function standing(machine: Machine): Candidate {
  const { id, zone, operator, capacity, used, draining } = machine
  const state = draining ? 'draining' : 'active'
  const one = candidate(id, { zone, operator, capacity, free: capacity - used, state }, known.get(machine))
  known.set(machine, one)
  return one
}
