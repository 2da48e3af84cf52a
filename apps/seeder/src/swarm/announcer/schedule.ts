import type { InfoHashTable } from '../info-hash-table.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { Farewells } from './farewells.ts'
import { interval, minInterval, refusalInterval, usualInterval } from './intervals.ts'
import { ItemNotes, note } from './item-notes.ts'
import { Pace } from './pace.ts'
import type { Announce, AnnounceAnswer, Progress, TrackerConnection } from './port.ts'
import { TimingWheel } from './timing-wheel.ts'
import { TrackerHealth } from './tracker-health.ts'

export interface ScheduleOptions {
  tracker: TrackerConnection
  /** Where the slots are from. A slot stays the same infohash until it was removed here. */
  table: InfoHashTable
  /** Announces under way at a time. */
  concurrency: number
  /** Whether the tracker must be told when this node stops; one that sees the connection end need not. */
  farewell: boolean
  /** Progress of a torrent; undefined for one that sleeps. */
  progress: (infoHash: string) => Progress | undefined
  answered: (infoHash: string, answer: AnnounceAnswer) => void
  failed: (error: unknown) => void
  /** The tracker does not answer any more, or answers again. */
  stands?: (up: boolean, error?: unknown) => void
  /** Milliseconds, from any time on. */
  now: () => number
  /** 0 to 1, spreads retries of many nodes. */
  random: () => number
}

/** An announce under way, and what is to follow it: one at a time for each infohash, in the order things happened. */
interface Running {
  /** -1 once the torrent was removed. */
  slot: number
  event: Announce['event']
  /** Somebody wants it announced again. */
  again: boolean
  /** The slot of the same infohash when it was removed and added again, or -1. */
  heir: number
  ended: Promise<void>
}

const asleep: Progress = { uploaded: 0, downloaded: 0, left: 0 }

/** While something is wanted, sources are asked for more often. */
const longestWhileFetching = 30_000

/** Milliseconds between looks at what may be announced now. */
const beat = 100

/** Everything is announced anew in so much less than an interval after the tracker lost sight of this node. */
const hasteAfterRestart = 1 / 0.7

/** Lists beside the wheel: to announce at once, to announce in turn, and to be spread once the tracker answers. */
const [urgent, ready, unspread] = [0, 1, 2]

/**
 * When each torrent is announced to one tracker: one timer and no scan, for any number of torrents, and some 20 bytes
 * for each. Announces flow evenly over the tracker's interval, whatever happens.
 */
export class Schedule {
  readonly #options: ScheduleOptions
  readonly #wheel = new TimingWheel(3)
  readonly #notes = new ItemNotes()
  readonly #health: TrackerHealth
  readonly #pace: Pace
  readonly #running = new Map<string, Running>()
  readonly #farewells = new Farewells()
  readonly #began: number
  #size = 0
  #minInterval = 0
  #haste = 1
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Infinity
  #closed = false

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#began = options.now()
    this.#health = new TrackerHealth(options.random)
    this.#pace = new Pace(this.#began)
  }

  /** Announces at once. */
  add(slot: number): void {
    if (this.#join(slot) || !this.#notes.has(slot, note.sent)) this.#put(slot)
  }

  /** Announces many, spread over the tracker's interval in the order given. */
  restore(slots: Iterable<number>): void {
    for (const slot of slots) if (this.#join(slot)) this.#wheel.lists.append(unspread, slot)
    if (!this.#health.probing) this.#spread()
    this.#run()
  }

  /** Announces ahead of time, though never before the tracker's shortest interval is over. */
  hurry(slot: number): void {
    if (!this.#notes.has(slot, note.known)) return
    const running = this.#runningOf(slot)
    if (running !== undefined) running.again = true
    else this.#hurry(slot)
    this.#run()
  }

  /** The torrent is whole now. */
  complete(slot: number): void {
    if (!this.#notes.has(slot, note.sent)) return this.add(slot)
    this.#notes.set(slot, note.completed)
    if (this.#runningOf(slot) === undefined) this.#put(slot)
  }

  /** The slot is forgotten when this returns. */
  remove(slot: number): void {
    if (!this.#notes.has(slot, note.member)) return
    const { table, progress, now } = this.#options
    const infoHash = table.infoHashAt(slot)
    this.#wheel.lists.remove(slot)
    const running = this.#running.get(infoHash)
    if (running?.slot === slot) running.slot = -1
    if (running?.heir === slot) running.heir = -1
    // A tracker that is down would not hear it, and forgets who is silent.
    if (this.#notes.has(slot, note.sent) && this.#health.pausedUntil <= now()) {
      this.#farewells.add(infoHash, progress(infoHash) ?? asleep)
    }
    this.#notes.clear(slot)
    this.#size--
    this.#run()
  }

  /** The tracker has lost sight of this node: everything is announced anew, after a moment and spread. */
  restart(error: Error): void {
    const { lists } = this.#wheel
    this.#farewells.clear()
    lists.moveAll(ready, unspread)
    this.#wheel.empty(unspread)
    this.#haste = hasteAfterRestart
    for (const slot of this.#notes.unsetAll(note.known | note.sent, note.urgent)) {
      if (lists.has(slot)) lists.append(urgent, slot)
    }
    this.#pause(error, true)
    this.#run()
  }

  /** Says farewell for what was announced, the latest first, as far as that goes within `deadline` milliseconds. */
  async close(deadline: number): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const { tracker, farewell, now } = this.#options
    if (farewell && !this.#health.down && this.#health.pausedUntil <= now()) {
      let timer: NodeJS.Timeout | undefined
      const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadline)))
      await Promise.race([this.#sayFarewells(), over])
      clearTimeout(timer)
      this.#farewells.end()
    }
    tracker.close()
  }

  /** Returns whether it is new here and nothing of the same infohash is under way. */
  #join(slot: number): boolean {
    if (this.#notes.has(slot, note.member)) return false
    const infoHash = this.#options.table.infoHashAt(slot)
    this.#notes.set(slot, note.member)
    this.#size++
    this.#farewells.delete(infoHash)
    const running = this.#running.get(infoHash)
    if (running !== undefined) running.heir = slot
    return running === undefined
  }

  #put(slot: number): void {
    if (this.#runningOf(slot) === undefined) this.#wheel.lists.append(urgent, slot)
    this.#run()
  }

  #hurry(slot: number): void {
    const at = this.#notes.answeredAt(slot) + this.#minInterval / 1000
    if (at <= this.#second()) this.#wheel.lists.append(urgent, slot)
    else {
      this.#notes.set(slot, note.urgent)
      if (this.#wheel.time(slot) > at) this.#wheel.set(slot, at)
    }
  }

  /** The announce under way that a slot waits for. */
  #runningOf(slot: number): Running | undefined {
    const running = this.#running.get(this.#options.table.infoHashAt(slot))
    return running?.slot === slot || running?.heir === slot ? running : undefined
  }

  #spread(): void {
    const { lists } = this.#wheel
    let count = 0
    for (let slot = lists.first(unspread); slot !== undefined; slot = lists.after(slot)) count++
    const now = this.#second()
    const step = this.#pace.span(count, this.#haste) / 1000 / count
    this.#haste = 1
    for (let place = 0; place < count; place++) {
      const slot = lists.first(unspread) ?? 0
      if (place * step >= 1) this.#wheel.set(slot, now + place * step)
      else {
        this.#wheel.note(slot, now)
        lists.append(ready, slot)
      }
    }
  }

  #run(): void {
    if (this.#closed) return
    const now = this.#options.now()
    if (this.#health.pausedUntil > now) return this.#wakeAt(this.#health.pausedUntil)
    const { lists } = this.#wheel
    this.#wheel.advance(Math.floor(this.#second(now)), (slot) => {
      lists.append(this.#notes.has(slot, note.urgent | note.completed) ? urgent : ready, slot)
    })
    const first = lists.first(ready)
    this.#pace.pass(now, this.#size, first === undefined ? 0 : (this.#second(now) - this.#wheel.time(first)) * 1000)
    if (this.#health.probing) this.#probe()
    else while (this.#running.size < this.#options.concurrency && this.#next());
    // Every announce that ends comes here again.
    if (this.#running.size >= (this.#health.probing ? 1 : this.#options.concurrency)) return
    if (!lists.isEmpty(urgent) || !lists.isEmpty(ready) || this.#farewells.size > 0) return this.#wakeAt(now + beat)
    const next = this.#wheel.next
    if (next !== undefined) this.#wakeAt(this.#began + next * 1000)
  }

  #probe(): void {
    const { lists } = this.#wheel
    const slot = lists.first(urgent) ?? lists.first(ready) ?? lists.first(unspread)
    if (this.#running.size > 0) return
    if (slot !== undefined) this.#announce(slot)
    // Nothing is left that could find the tracker well again.
    else this.#farewells.clear()
  }

  /** Begins what is next and may be now. */
  #next(): boolean {
    const { lists } = this.#wheel
    const soon = lists.first(urgent)
    if (soon !== undefined && this.#pace.takeUrgent()) return this.#announce(soon)
    const farewell = this.#farewells.first((infoHash) => this.#running.has(infoHash))
    if (farewell !== undefined && this.#pace.takeUrgent()) {
      this.#farewells.delete(farewell[0])
      this.#send(-1, farewell[0], 'stopped', farewell[1])
      return true
    }
    const slot = lists.first(ready)
    return slot !== undefined && this.#pace.take() && this.#announce(slot)
  }

  #announce(slot: number): true {
    const { table, progress } = this.#options
    const infoHash = table.infoHashAt(slot)
    const done = this.#notes.has(slot, note.completed) ? 'completed' : 'update'
    const event = this.#notes.has(slot, note.known) ? done : 'started'
    this.#wheel.lists.remove(slot)
    this.#notes.set(slot, note.sent)
    this.#send(slot, infoHash, event, progress(infoHash) ?? asleep)
    return true
  }

  #send(slot: number, infoHash: string, event: Announce['event'], progress: Progress): void {
    const running: Running = { slot, event, again: false, heir: -1, ended: Promise.resolve() }
    this.#running.set(infoHash, running)
    const { uploaded, downloaded, left } = progress
    running.ended = this.#options.tracker
      .announce({ infoHash, event, uploaded, downloaded, left })
      .then(
        (answer) => this.#answered(running, infoHash, left, answer),
        (error: unknown) => this.#failed(running, error),
      )
      .then(() => {
        this.#running.delete(infoHash)
        if (running.heir >= 0) this.#wheel.lists.append(urgent, running.heir)
        this.#run()
      })
  }

  #answered(running: Running, infoHash: string, left: number, answer: AnnounceAnswer): void {
    const { slot, event, again } = running
    if (event === 'stopped') return this.#proven()
    const usual = interval(answer.interval)
    this.#minInterval = minInterval(answer.minInterval)
    this.#pace.heard(usual)
    this.#proven()
    if (slot < 0) return
    const second = this.#second()
    this.#notes.set(slot, note.known)
    this.#notes.answered(slot, second)
    if (event === 'completed') this.#notes.unset(slot, note.completed)
    if (left > 0) this.#notes.set(slot, note.urgent)
    else this.#notes.unset(slot, note.urgent)
    const wait = Math.max(left > 0 ? Math.min(usual, longestWhileFetching) : usual, this.#minInterval)
    this.#wheel.set(slot, second + wait / 1000)
    if (this.#notes.has(slot, note.completed)) this.#wheel.lists.append(urgent, slot)
    else if (again) this.#hurry(slot)
    this.#options.answered(infoHash, answer)
  }

  #failed({ slot, event }: Running, error: unknown): void {
    const { random, failed } = this.#options
    failed(error)
    const usual = this.#pace.interval ?? usualInterval
    if (error instanceof TrackerRefusedError) {
      this.#pace.interval ??= usualInterval
      this.#proven()
      if (slot < 0) return
      this.#notes.unset(slot, note.known | note.sent | note.completed)
      const wait = refusalInterval(error.retryIn, this.#notes.failed(slot), usual, random())
      return this.#wheel.set(slot, this.#second() + wait / 1000)
    }
    this.#pause(error)
    if (slot < 0 || event === 'stopped') return
    const failures = this.#notes.failed(slot)
    const wait = Math.min(usual / 4, 2_000 * 2 ** failures) * (0.75 + random() / 2)
    // The next to be tried is another: what the tracker chokes on may be this one alone.
    if (failures > 1) this.#wheel.set(slot, this.#second() + wait / 1000)
    else this.#wheel.lists.append(this.#notes.has(slot, note.known) ? ready : urgent, slot)
  }

  #proven(): void {
    const { probing, down } = this.#health
    this.#health.succeeded()
    if (down) this.#options.stands?.(true)
    if (probing) this.#spread()
  }

  /** Leaves the tracker alone for a while, if it may be down: one error alone says little, a `lost` connection all. */
  #pause(error: unknown, lost = false): void {
    const { down } = this.#health
    const usual = this.#pace.interval ?? usualInterval
    const now = this.#options.now()
    const retryAfter = error instanceof TrackerFailedError ? error.retryAfter : undefined
    if (lost) this.#health.pause(now, usual)
    else if (!this.#health.failed(now, usual, retryAfter)) return
    if (!down) this.#options.stands?.(false, error)
  }

  async #sayFarewells(): Promise<void> {
    const { tracker, concurrency, table } = this.#options
    const [lists, notes] = [this.#wheel.lists, this.#notes]
    const latest = this.#wheel.latest()
    function* known(): Generator<string, void> {
      for (const slot of latest) if (notes.has(slot, note.sent)) yield table.infoHashAt(slot)
      for (const lane of [urgent, ready]) {
        for (let slot = lists.first(lane); slot !== undefined; slot = lists.after(slot)) {
          if (notes.has(slot, note.sent)) yield table.infoHashAt(slot)
        }
      }
    }
    const underWay = [...this.#running].flatMap(([infoHash, { event, ended }]) =>
      event === 'stopped' ? [ended] : [ended.then(() => this.#farewells.sayOne(tracker, infoHash))],
    )
    await Promise.all([...underWay, this.#farewells.sayAll(tracker, known(), concurrency)])
  }

  #wakeAt(at: number): void {
    if (this.#timer !== undefined && this.#wakesAt <= at) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#run()
      },
      Math.min(Math.max(at - this.#options.now(), 1), 2 ** 30),
    )
    this.#timer.unref()
  }

  /** Seconds since this schedule began, with a fraction. */
  #second(now = this.#options.now()): number {
    return (now - this.#began) / 1000
  }
}
