import { createHash } from 'node:crypto'
import { toBase64url } from '@eldernode/core'
import { seededRandom } from '../harness/random.ts'
import { Judge } from './judge.ts'
import { Machine, type Character } from './machine.ts'
import { rules as asTheyAre, type Rules } from './rules.ts'
import { Schedule } from './schedule.ts'
import { World, type Item } from './world.ts'

export interface Simulation {
  seed: number
  machines: number
  items: number
  faults: number
  rules?: Partial<Rules>
}

export interface Outcome {
  violations: readonly string[]
  log: readonly string[]
  /** Bytes. */
  moved: number
  allowed: number
  releases: number
}

const minute = 60_000

/** One network from its first start until some time after the last fault; the same seed gives the same events. */
export function simulate({ seed, machines, items, faults, rules = {} }: Simulation): Outcome {
  const random = seededRandom(seed)
  const world = new World(random, { ...asTheyAre, ...rules }, random() < 0.7 ? 120_000 : 600_000)
  const judge = new Judge(world)
  const schedule = new Schedule(world, judge)
  world.loss = random() * 0.1
  populate(world, seed, machines, items)
  for (const machine of world.machines) world.clockwork.at(random() * 5000, () => schedule.boot(machine))
  publishAll(world, judge)
  schedule.plan(faults, 8 * minute)
  const watch = (): void => {
    judge.watch()
    world.clockwork.after(2 * minute, watch)
  }
  world.clockwork.at(0, watch)
  for (;;) {
    const { end } = schedule
    world.clockwork.run(end)
    if (schedule.end === end) break
  }
  // Until the last liar is found out, what it was wanted for is copied, and the surplus is gone.
  const liars = world.machines.filter(({ isHonest }) => !isHonest).length
  world.clockwork.run(schedule.end + world.graceMs * (1 + liars) + 10 * minute)
  judge.finish()
  const { violations, budgets, releases } = judge
  const { moved, allowed } = budgets
  return { violations, log: schedule.log, moved, allowed, releases }
}

function populate(world: World, seed: number, machines: number, items: number): void {
  const { random } = world
  const skewed = random() < 0.5
  const lies: Character[] = ['boaster', 'proxy', 'neighbour']
  const liars = random() < 0.5 ? 0 : random() < 0.7 ? 1 : 2
  const zones = 2 + Math.floor(random() * machines)
  const average = (items * 3 * 4e6) / machines
  for (let n = 0; n < machines; n++) {
    const machine = new Machine({
      id: toBase64url(createHash('sha256').update(`node ${seed} ${n}`).digest()),
      character: n < liars ? lies[Math.floor(random() * lies.length)]! : 'honest',
      zone: random() < 0.1 ? '' : `z${Math.floor(random() * zones)}`,
      operator: random() < 0.5 ? '' : `o${Math.floor(random() * machines)}`,
      capacity: Math.floor(average * 2 ** world.between(3, 5)),
    })
    machine.skew = skewed ? world.between(-2, 2) * minute : 0
    world.join(machine)
  }
  const buckets = Math.min(256, Math.max(8, items >> 5))
  for (let n = 0; n < items; n++) world.add(itemOf(world, seed, n, buckets))
}

/** Few buckets, so that an item is not alone in its own: with 300 items it would be. */
function itemOf({ random }: World, seed: number, n: number, buckets: number): Item {
  const hash = createHash('sha256').update(`item ${seed} ${n}`).digest('hex').slice(0, 38)
  const first = Math.floor(((n % buckets) * 256) / buckets).toString(16)
  const target = random() < 0.7 ? 3 : 2 + Math.floor(random() * 3)
  const size = Math.floor(100_000 * 2 ** (random() * 7))
  return { infoHash: first.padStart(2, '0') + hash, size, target, min: Math.min(2, target - 1) }
}

function publishAll(world: World, judge: Judge): void {
  const publishers = world.machines.filter(({ isHonest }) => isHonest)
  for (const item of world.items.values()) {
    const machine = publishers[Math.floor(world.random() * publishers.length)]!
    world.clockwork.at(world.between(90, 110) * 1000, () => {
      machine.mind?.publish(item)
      judge.published(machine, item)
    })
  }
}
