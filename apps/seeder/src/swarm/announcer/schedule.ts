import { Alarm } from './alarm.ts'
import { AnnounceTurns } from './announce-turns.ts'
import { TrackerRefusedError } from './errors.ts'
import { Farewells } from './farewells.ts'
import type { Legacy } from './farewells.ts'
import { fetchingInterval, interval, minInterval, refusalInterval, usualInterval } from './intervals.ts'
import { ItemNotes, note } from './item-notes.ts'
import type { Announce, AnnounceAnswer, Progress } from './port.ts'
import type { ScheduleOptions } from './schedule-options.ts'
import { TrackerHealth } from './tracker-health.ts'
import { UnderWay } from './under-way.ts'
import type { Running } from './under-way.ts'

const asleep: Progress = { uploaded: 0, downloaded: 0, left: 0 }

/** Milliseconds for which a torrent that was fetched may take to come back as one that is seeded. */
const handOverTime = 60_000

/** Milliseconds between looks at what may be announced now. */
const beat = 250

/**
 * When each torrent is announced to one tracker: one timer and no scan, for any number of torrents, and some 20 bytes
 * for each. Announces flow evenly over the tracker's interval, whatever happens.
 */
export class Schedule {
  readonly #options: ScheduleOptions
  readonly #turns: AnnounceTurns
  readonly #notes = new ItemNotes()
  readonly #health: TrackerHealth
  readonly #underWay = new UnderWay()
  readonly #farewells = new Farewells()
  readonly #alarm: Alarm
  #size = 0
  /** Of a library that becomes known in parts, how many there will be. */
  #expected = 0
  #closed = false

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#turns = new AnnounceTurns(options.now)
    this.#alarm = new Alarm(options.now, () => this.#run())
    this.#health = new TrackerHealth(options)
  }

  /** Announces at once. */
  add(slot: number): void {
    if (this.#join(slot) || !this.#notes.has(slot, note.sent)) this.#put(slot)
  }

  /** Announces many, a part of `outOf`, spread over the tracker's interval in the order given. */
  restore(slots: Iterable<number>, outOf: number): void {
    this.#expected = outOf
    for (const slot of slots) if (this.#join(slot)) this.#turns.someTime(slot)
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

  /** As `remove`, of one that is added again in a moment, and goes on as the same torrent then: no farewell is said. */
  handOver(slot: number): void {
    this.#remove(slot, {
      bits: this.#notes.of(slot, note.known | note.completed),
      until: this.#options.now() + handOverTime,
    })
  }

  /** The slot is forgotten when this returns. */
  remove(slot: number): void {
    this.#remove(slot)
  }

  #remove(slot: number, legacy?: Legacy): void {
    if (!this.#notes.has(slot, note.member)) return
    const { table, progress } = this.#options
    const infoHash = table.infoHashAt(slot)
    this.#turns.drop(slot)
    const running = this.#underWay.find(infoHash)
    if (running?.slot === slot) running.slot = -1
    if (running?.heir === slot) running.heir = -1
    if (this.#notes.has(slot, note.sent)) {
      this.#farewells.add(infoHash, { progress: progress(infoHash) ?? asleep, legacy })
    }
    this.#notes.clear(slot)
    this.#size--
    this.#run()
  }

  /** The tracker has lost sight of this node: everything is announced anew, after a moment and spread. */
  restart(error: Error): void {
    this.#farewells.clear()
    this.#expected = 0
    this.#turns.restart()
    for (const slot of this.#notes.unsetAll(note.known | note.sent, note.urgent)) {
      if (this.#turns.has(slot)) this.#turns.soon(slot)
    }
    this.#health.lost(this.#turns.pace.usual, error)
    this.#run()
  }

  /** Says farewell for what was announced, the latest first, as far as that goes within `deadline` milliseconds. */
  async close(deadline: number): Promise<void> {
    this.#closed = true
    this.#alarm.clear()
    const { tracker, farewell } = this.#options
    if (farewell && !this.#health.down && !this.#health.paused) {
      await this.#farewells.within(deadline, this.#sayFarewells())
    }
    tracker.close()
  }

  /** Returns whether it is to be announced: it is new here and nothing of the same infohash is under way. */
  #join(slot: number): boolean {
    if (this.#notes.has(slot, note.member)) return false
    this.#notes.set(slot, note.member)
    this.#size++
    if (this.#farewells.size === 0 && this.#underWay.size === 0) return true
    const infoHash = this.#options.table.infoHashAt(slot)
    const running = this.#underWay.find(infoHash)
    if (running !== undefined) running.heir = slot
    // The tracker still knows of it from before, and has to hear when it goes for good.
    const unsaid = this.#farewells.take(infoHash)
    const isSent = unsaid !== undefined || (running !== undefined && running.event !== 'stopped')
    if (isSent) this.#notes.set(slot, note.sent)
    const isWhole = (this.#options.progress(infoHash) ?? asleep).left === 0
    const bits = isWhole ? unsaid?.legacy?.bits : undefined
    if (running !== undefined) running.handedOver = bits !== undefined
    if (bits !== undefined) this.#notes.set(slot, bits)
    if (running !== undefined || bits !== note.known) return running === undefined
    // The tracker knows all there is to know.
    this.#turns.later(slot, this.#turns.pace.wait)
    return false
  }

  #put(slot: number): void {
    if (this.#runningOf(slot) === undefined) this.#turns.soon(slot)
    this.#run()
  }

  #hurry(slot: number): void {
    const at = this.#notes.answeredAt(slot) + this.#turns.pace.minInterval / 1000
    if (at <= this.#turns.second) return this.#turns.soon(slot)
    this.#notes.set(slot, note.urgent)
    this.#turns.notAfter(slot, at)
  }

  /** The announce under way that a slot waits for. */
  #runningOf(slot: number): Running | undefined {
    return this.#underWay.of(slot, this.#options.table.infoHashAt(slot))
  }

  #run(): void {
    if (this.#closed) return
    const { concurrency, now } = this.#options
    if (this.#health.paused) return this.#alarm.wakeAt(this.#health.pausedUntil)
    this.#turns.pass(this.#size, (slot) => this.#notes.has(slot, note.urgent | note.completed))
    const most = this.#health.probing ? 1 : concurrency
    while (this.#underWay.size < most && (most === 1 ? this.#probe() : this.#next()));
    // Every announce that ends comes here again.
    if (this.#underWay.size >= most) return
    if (this.#turns.waiting || this.#farewells.size > 0) return this.#alarm.wakeAt(now() + beat)
    const { next } = this.#turns
    if (next !== undefined) this.#alarm.wakeAt(next)
  }

  #probe(): boolean {
    return this.#announce(this.#turns.takeAny()) || this.#sayFarewell(() => true)
  }

  /** Begins what is next and may be now. */
  #next(): boolean {
    const { pace } = this.#turns
    return (
      this.#announce(this.#turns.takeSoon()) ||
      this.#sayFarewell(() => pace.takeUrgent()) ||
      this.#announce(this.#turns.takeInTurn())
    )
  }

  #sayFarewell(may: () => boolean): boolean {
    if (this.#farewells.size === 0) return false
    const farewell = this.#farewells.first(
      this.#options.now(),
      (infoHash) => this.#underWay.find(infoHash) !== undefined,
    )
    if (farewell === undefined || !may()) return false
    this.#farewells.take(farewell[0])
    this.#send(-1, farewell[0], 'stopped', farewell[1])
    return true
  }

  #announce(slot: number | undefined): boolean {
    if (slot === undefined) return false
    const { table, progress } = this.#options
    const infoHash = table.infoHashAt(slot)
    const done = this.#notes.has(slot, note.completed) ? 'completed' : 'update'
    const event = this.#notes.has(slot, note.known) ? done : 'started'
    this.#notes.set(slot, note.sent)
    this.#send(slot, infoHash, event, progress(infoHash) ?? asleep)
    return true
  }

  #send(slot: number, infoHash: string, event: Announce['event'], progress: Progress): void {
    const running = this.#underWay.begin(infoHash, slot, event)
    const { uploaded, downloaded, left } = progress
    running.ended = this.#options.tracker
      .announce({ infoHash, event, uploaded, downloaded, left })
      .then(
        (answer) => this.#answered(running, left, answer),
        (error: unknown) => this.#failed(running, error),
      )
      .then(() => {
        this.#underWay.end(running)
        if (running.heir >= 0 && !this.#turns.has(running.heir)) this.#turns.soon(running.heir)
        this.#run()
      })
  }

  #answered(running: Running, left: number, answer: AnnounceAnswer): void {
    const { infoHash, event, again } = running
    const { pace } = this.#turns
    const slot = running.handedOver ? running.heir : running.slot
    if (event === 'stopped') return this.#proven()
    const usual = interval(answer.interval)
    const min = minInterval(answer.minInterval)
    pace.heard(usual, min)
    this.#proven()
    const legacy = slot < 0 ? this.#farewells.legacy(infoHash) : undefined
    if (legacy !== undefined) legacy.bits = event === 'completed' ? note.known : legacy.bits | note.known
    if (slot < 0) return
    this.#notes.set(slot, note.known)
    // Rounded up, so that nothing counted from it comes too early.
    this.#notes.answered(slot, Math.ceil(this.#turns.second))
    if (event === 'completed') this.#notes.unset(slot, note.completed)
    if (left > 0) this.#notes.set(slot, note.urgent)
    else this.#notes.unset(slot, note.urgent)
    const intervals = { usual, min, wait: pace.wait }
    this.#turns.later(slot, left > 0 ? fetchingInterval(answer.peers.length, intervals) : intervals.wait)
    if (this.#notes.has(slot, note.completed)) this.#turns.soon(slot)
    else if (again) this.#hurry(slot)
    this.#options.answered(infoHash, answer)
  }

  #failed({ slot, event }: Running, error: unknown): void {
    const { random, failed } = this.#options
    failed(error)
    const { pace } = this.#turns
    const { usual } = pace
    if (error instanceof TrackerRefusedError) {
      pace.interval ??= usualInterval
      this.#proven()
      if (slot < 0) return
      this.#notes.unset(slot, note.known | note.sent | note.completed)
      const wait = refusalInterval(error.retryIn, this.#notes.failed(slot), usual, random())
      return this.#turns.later(slot, wait)
    }
    if (event === 'stopped' || slot < 0) return this.#health.failed(usual, error)
    const failures = this.#notes.failed(slot)
    // One that fails again and again, while others do not, says nothing of the tracker.
    if (failures === 1 || this.#size < 3 || this.#health.probing) this.#health.failed(usual, error)
    const wait = Math.min(usual / 4, 2_000 * 2 ** failures) * (0.75 + random() / 2)
    // The next to be tried is another: what the tracker chokes on may be this one alone.
    if (failures > 1) this.#turns.later(slot, wait)
    else if (this.#notes.has(slot, note.known)) this.#turns.inTurn(slot)
    else this.#turns.soon(slot)
  }

  #proven(): void {
    const { probing } = this.#health
    this.#health.succeeded()
    if (probing) this.#spread()
  }

  #spread(): void {
    this.#turns.spread(Math.max(this.#size, this.#expected))
  }

  #sayFarewells(): Promise<void> {
    const { table, progress } = this.#options
    const told = (infoHash: string): [string, Progress] => [infoHash, progress(infoHash) ?? asleep]
    const [latest, notes] = [this.#turns.latest(), this.#notes]
    function* known(): Generator<[string, Progress], void> {
      for (const slot of latest) if (notes.has(slot, note.sent)) yield told(table.infoHashAt(slot))
    }
    return this.#farewells.sayLast({ ...this.#options, underWay: this.#underWay, known: known(), told })
  }
}
