import { repairDelay, type Candidate, type Duty } from '@eldernode/core'
import type { Machine } from './machine.ts'
import type { Item, World } from './world.ts'

type Fetch = Extract<Duty, { do: 'fetch' }>

interface Job {
  item: Item
  duty: Fetch
  notBefore: number
  attempts: number
  running: boolean
}

/** Copies at once of each lane. */
const lanes = 4
/** Bytes per millisecond of all repairs together, and of one new copy. */
const repairRate = 20_000
const newRate = 20_000

/** What one node has to fetch: the most urgent and rarest first, repairs after their jitter and at a bounded rate. */
export class Jobs {
  readonly #world: World
  readonly #machine: Machine
  readonly #arrived: (item: Item) => void
  readonly #jobs = new Map<string, Job>()
  readonly #running = { repair: 0, fresh: 0 }

  constructor(world: World, machine: Machine, arrived: (item: Item) => void) {
    this.#world = world
    this.#machine = machine
    this.#arrived = arrived
  }

  want(item: Item, duty: Fetch, self: Candidate): void {
    const known = this.#jobs.get(item.infoHash)
    if (known !== undefined) {
      known.duty = duty
      return
    }
    const wait = duty.repair ? repairDelay(item.infoHash, self) : 0
    this.#jobs.set(item.infoHash, { item, duty, notBefore: this.#world.now + wait, attempts: 0, running: false })
    this.#world.later(wait, this.#machine, () => this.#begin())
  }

  cancel(infoHash: string): void {
    const job = this.#jobs.get(infoHash)
    if (job !== undefined && !job.running) this.#jobs.delete(infoHash)
  }

  #begin(): void {
    const now = this.#world.now
    const due = [...this.#jobs.values()].filter((job) => !job.running && job.notBefore <= now)
    due.sort((a, b) => Number(b.duty.urgent) - Number(a.duty.urgent) || a.duty.rarity - b.duty.rarity)
    for (const job of due) {
      const lane = job.duty.repair ? 'repair' : 'fresh'
      if (this.#running[lane] < lanes) this.#start(job, lane)
    }
  }

  #start(job: Job, lane: 'repair' | 'fresh'): void {
    const { item } = job
    const source = this.#source(item.infoHash)
    const free = this.#machine.capacity - this.#machine.used
    if (source === undefined || item.size > free) return this.#again(job)
    job.running = true
    this.#running[lane]++
    const rate = lane === 'repair' ? repairRate / lanes : newRate
    this.#world.later(this.#world.between(200, 1000) + item.size / rate, this.#machine, () => {
      this.#running[lane]--
      job.running = false
      const isThere = this.#world.reaches(this.#machine, source) && source.has(item.infoHash)
      this.#world.witness?.arrived(this.#machine, item, item.size)
      if (isThere && item.size <= this.#machine.capacity - this.#machine.used) {
        this.#jobs.delete(item.infoHash)
        this.#arrived(item)
      } else this.#again(job)
      this.#begin()
    })
  }

  #again(job: Job): void {
    job.attempts++
    const wait = Math.min(120_000, 5_000 * 2 ** job.attempts) * this.#world.between(0.5, 1)
    job.notBefore = this.#world.now + wait
    this.#world.later(wait, this.#machine, () => this.#begin())
  }

  #source(infoHash: string): Machine | undefined {
    const sources = this.#world.machines.filter(
      (one) => one !== this.#machine && one.isHonest && one.has(infoHash) && this.#world.reaches(this.#machine, one),
    )
    return sources[Math.floor(this.#world.random() * sources.length)]
  }
}
