import {
  assess,
  duty,
  othersSure,
  repairDelay,
  type Assessment,
  type Demand,
  type Duty,
  type Releases,
  type Step,
  type Unproven,
  type View,
} from '@eldernode/core'
import type { Levels } from '../health/levels.ts'
import type { Publications } from './publications.ts'
import { leftover } from './leftover.ts'
import type { Transfers } from '../fetching/transfers.ts'
import type { Rank } from '../fetching/rank.ts'

export interface DutiesOptions {
  publications: Pick<Publications, 'demands' | 'published' | 'refresh'>
  view: View
  unproven: Unproven
  releases: Releases
  levels: Levels
  transfers: Pick<Transfers, 'add' | 'has' | 'rank' | 'runs' | 'sweep'>
  /** Whether this node may act on what it sees of the network. */
  inStep(): boolean
  /** Whether bytes of the item may be fetched. */
  mayFetch(infoHash: string): boolean
  /** Has what was decided of an item's manifest decided anew: it changed, or nobody publishes it any more. */
  review(infoHash: string): void
  cancel(infoHash: string, why: string): Promise<void>
  /** Tells the network that a copy is about to go, or stays after all. */
  mark(infoHash: string): void
  unmark(infoHash: string): void
  /** Removes a copy for good, if it `goes` still. */
  release(demand: Demand): void
  /** Whether a copy is here some of whose bytes are known to be lost or wrong. */
  isBad(infoHash: string): boolean
  /** Removes what is left of such a copy for good, if it `drops` still. */
  drop(demand: Demand): void
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
}

/** What was found of one item. */
export interface Found {
  demand: Demand
  assessment: Assessment
  duty: Duty
}

/**
 * Compares for each item who should hold it with who is proven to, and does what this node has to do about it: fetches,
 * keeps or releases. Level-triggered: an item is looked at because something of it changed, because a member came or
 * went, or because a pass comes by, and what follows is always the same.
 */
export class Duties {
  readonly #options: DutiesOptions
  #others: { of: View['live']; staying: number } = { of: [], staying: 0 }
  #passedAt = 0
  #lookedAt = 0

  constructor(options: DutiesOptions) {
    this.#options = options
  }

  /** Milliseconds since 1970 when the last pass ended; 0 before the first. */
  get passedAt(): number {
    return this.#passedAt
  }

  find(infoHash: string): Found | undefined {
    const { publications, view } = this.#options
    const demand = publications.demands.get(infoHash)
    if (demand === undefined) return undefined
    const assessment = assess(demand, view)
    return { demand, assessment, duty: duty(demand, assessment, view) }
  }

  /** @param changed the item itself is the reason, so that what waits for another try is tried at once */
  look(infoHash: string, changed = false): void {
    const { publications, unproven, releases, levels, inStep, review } = this.#options
    const demand = publications.demands.get(infoHash)
    if (changed || demand === undefined) review(infoHash)
    if (demand !== undefined) {
      if (inStep()) this.#act(demand, changed)
      return
    }
    unproven.forget(infoHash)
    releases.forget(infoHash)
    levels.delete(infoHash)
  }

  /** Notes how an item stands, and does nothing about it. */
  note(infoHash: string): void {
    const found = this.find(infoHash)
    if (found === undefined || !this.#options.inStep()) return
    this.#options.levels.note(found.demand, found.assessment, this.#own(found.demand, found.assessment))
  }

  /** All items, one at a step, so that the caller may pause between any two. */
  *pass(): Generator<void> {
    const { publications, transfers, view } = this.#options
    for (const demand of publications.demands) {
      this.#act(demand, false)
      yield
    }
    transfers.sweep()
    this.#passedAt = view.now
  }

  /** What became due by time alone: copies to be released, and holders that were waited for in vain. */
  tick(): void {
    const { releases, unproven, clock } = this.#options
    const now = clock()
    const due = [...releases.due(now), ...unproven.overdue(this.#lookedAt)]
    this.#lookedAt = now
    for (const infoHash of due) this.look(infoHash)
  }

  #act(demand: Demand, changed: boolean): void {
    const { view, unproven, levels, publications, transfers, cancel, isBad, drop } = this.#options
    const { infoHash } = demand
    const assessment = assess(demand, view)
    unproven.note(demand, assessment, view)
    if (!demand.reached && claimed(assessment) >= demand.target) publications.demands.reach(infoHash)
    const own = duty(demand, assessment, view)
    const what = own.do === 'nothing' && isBad(infoHash) ? leftover(demand, assessment, view) : own
    const step = this.#step(demand, own, assessment)
    // A mark that was set or taken back just now makes another copy of this node's.
    const now = step === 'mark' || step === 'unmark' ? assess(demand, view) : assessment
    levels.note(demand, now, this.#own(demand, now))
    if (what.do === 'fetch') this.#fetch(demand, what, changed, isClaimed(assessment))
    else if (transfers.has(infoHash) && !this.#goesOn(infoHash, assessment)) {
      void cancel(infoHash, 'placement wants it elsewhere')
    }
    if (what.do === 'drop') drop(demand)
    if (step === 'go') this.#options.release(demand)
  }

  /** Whether a copy that was to be released still may go: to be asked right before its bytes are removed. */
  goes(infoHash: string): boolean {
    // What was published here a moment ago may not have been looked at yet.
    this.#options.publications.refresh(infoHash)
    const found = this.find(infoHash)
    if (found === undefined || !this.#options.inStep()) return false
    return this.#step(found.demand, found.duty, found.assessment) === 'go'
  }

  /** The same of what is left of a bad copy. */
  drops(infoHash: string): boolean {
    const { publications, view, inStep } = this.#options
    publications.refresh(infoHash)
    const found = this.find(infoHash)
    if (found === undefined || !inStep() || found.duty.do !== 'nothing') return false
    return leftover(found.demand, found.assessment, view).do === 'drop'
  }

  /** Whether somebody else is proven to have the item, and may be asked for it. */
  isElsewhere(infoHash: string): boolean {
    const { self } = this.#options.view
    const copies = this.find(infoHash)?.assessment.copies ?? []
    return copies.some(({ id, live, suspected, proof }) => id !== self && live && !suspected && proof === 'proven')
  }

  /**
   * A copy that is being made is made while one is missing: the room that is set aside for it may be why this node seems
   * to have none for it.
   */
  #goesOn(infoHash: string, { missing }: Assessment): boolean {
    const { transfers, view } = this.#options
    return missing > 0 && transfers.runs(infoHash) && view.member(view.self)?.state !== 'draining'
  }

  #fetch(demand: Demand, what: Extract<Duty, { do: 'fetch' }>, changed: boolean, isThere: boolean): void {
    const { publications, transfers, view, mayFetch } = this.#options
    const { infoHash, since, size } = demand
    const { urgent, repair, rarity } = what
    const isKnown = transfers.has(infoHash)
    if (!isKnown && !mayFetch(infoHash)) return
    const self = view.member(view.self)
    const delayMs = repair && self !== undefined && !changed ? repairDelay(infoHash, self) : 0
    const rank: Rank = {
      lane: repair ? 'repair' : 'new',
      urgent,
      rarity,
      since,
      size,
      delayMs,
      ...(!isThere && { unclaimed: true }),
    }
    if (isKnown && !changed) return transfers.rank(infoHash, rank)
    const published = publications.published(infoHash)
    if (published !== undefined) transfers.add({ infoHash, publisher: published.signer }, changed, rank)
  }

  #step(demand: Demand, what: Duty, assessment: Assessment): Step {
    const { releases, view, clock, mark, unmark } = this.#options
    const { infoHash } = demand
    const step = releases.step(infoHash, what, assessment, view, clock())
    if (step === 'mark') mark(infoHash)
    else if (step === 'unmark') unmark(infoHash)
    return step
  }

  /**
   * In a network with few members as many copies are enough as there are members that stay, whether they have room for
   * them or not: what they cannot take is needed here.
   */
  #own({ target, publishers }: Demand, assessment: Assessment) {
    const { self, settled } = this.#options.view
    const held = assessment.copies.some(({ id }) => id === self)
    if (!held) return { held, copied: false, needed: false, stuck: false }
    const others = this.#staying()
    // Early after a start few were heard from.
    const enough = settled ? Math.max(1, Math.min(target, others)) : target
    const needed = othersSure(assessment, self) < enough
    const stuck = needed && assessment.wanted.filter((id) => id !== self).length < enough
    return { held, copied: !publishers.includes(self), needed, stuck }
  }

  /** Other members that live and do not drain, counted once for all items of a pass. */
  #staying(): number {
    const { self, live } = this.#options.view
    if (this.#others.of !== live) {
      this.#others = { of: live, staying: live.filter(({ id, state }) => id !== self && state !== 'draining').length }
    }
    return this.#others.staying
  }
}

/** Whether anybody who lives says to have it, and was not found without. */
function isClaimed({ copies }: Assessment): boolean {
  return copies.some(({ live, proof }) => live && proof !== 'failed')
}

/** What failed an audit is no copy: a liar must not make first copies look like repairs. */
function claimed({ copies }: Assessment): number {
  return copies.filter(({ proof }) => proof !== 'failed').length
}
