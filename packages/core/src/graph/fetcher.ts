import { MAX_CLOCK_SKEW } from '../envelope/index.ts'
import { Breath } from './breath.ts'
import { frameLimits } from './frames.ts'
import type { Answer } from './frames.ts'
import type { Link } from './link.ts'
import type { Entry, Kind } from './port.ts'
import type { Questions } from './questions.ts'
import { shortDigest } from './sums.ts'
import type { Sums } from './sums.ts'
import { parseSoul } from './souls.ts'
import type { Group } from './souls.ts'
import type { Candidate } from './wire/message.ts'

/**
 * Values that were fetched and refused, remembered for so many milliseconds so that they are not fetched again and
 * again: what was refused for want of room, say, may be taken later.
 */
const mostRefused = 10_000
const refusedTime = 600_000

type Place = [soul: string, key: string]
type Keys = Extract<Answer, { en: 'keys' }>['keys']

export interface FetcherOptions {
  link: Link
  questions: Questions
  sums: Sums
  present(soul: string, key: string): Entry | undefined
  /** Whether values of this group would be taken from this link at all. */
  wants(group: Group): boolean
  /** The kinds that are fetched, where those are not all. */
  keeps: ReadonlySet<Kind> | undefined
  /** Hands fetched values to the guard and, if they pass, to the store and the other links. */
  admit(values: readonly Candidate[]): Promise<void>
  /** Milliseconds since 1970. */
  now: () => number
}

/**
 * Finds what the other side has and this node lacks: the buckets of groups that differ, the keys of buckets that
 * differ, then the values. Nothing that is answered is believed; the guard judges every value.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #refused = new Set<string>()
  /** The digests of groups that were dealt with: where not all is kept, one's own never becomes equal to them. */
  readonly #dealtWith = new Map<Group, string>()
  #dealtWithSince = 0
  #refusedSince = 0

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** Values that were refused may be fetched again. */
  forgive(): void {
    this.#refused.clear()
    this.#dealtWith.clear()
  }

  #startAnew(now: number): void {
    this.#dealtWith.clear()
    this.#dealtWithSince = now
  }

  /** @returns whether every difference was dealt with */
  async fetch(theirs: ReadonlyMap<Group, string>): Promise<boolean> {
    const { sums, wants, keeps, link, questions, now } = this.#options
    if (Math.abs(now() - this.#refusedSince) > refusedTime) this.#refused.clear()
    // The owner's word first: it tells whose values count.
    const groups = [...theirs.keys()].toSorted((a, b) => Number(b === 'owner') - Number(a === 'owner'))
    if (Math.abs(now() - this.#dealtWithSince) > refusedTime) this.#startAnew(now())
    for (const group of groups) {
      const digest = theirs.get(group)
      if (!wants(group) || this.#dealtWith.get(group) === digest || (await sums.digest(group)) === digest) continue
      const answer = await questions.ask({ en: 'buckets?', group })
      if (answer === undefined) return false
      const own = new Map(await sums.buckets(group))
      const differing = answer.buckets.filter(([soul, sum]) => own.get(soul) !== sum).map(([soul]) => soul)
      if (!differing.every((soul) => sums.belongs(soul, group))) return this.#broken()
      if (!(await this.#fetchBuckets(differing.filter((soul) => this.#keeps(soul))))) return false
      if (keeps !== undefined && digest !== undefined) this.#dealtWith.set(group, digest)
    }
    return !link.closed
  }

  #keeps(soul: string): boolean {
    const { keeps } = this.#options
    if (keeps === undefined) return true
    const kind = parseSoul(soul)?.kind
    return kind !== undefined && keeps.has(kind)
  }

  async #fetchBuckets(differing: string[]): Promise<boolean> {
    const { questions } = this.#options
    let souls = differing
    let after: string | undefined
    while (souls.length > 0) {
      const asked = souls.slice(0, frameLimits.souls)
      const answer = await questions.ask({ en: 'keys?', souls: asked, ...(after !== undefined && { after }) })
      if (answer === undefined) return false
      const missing = await this.#missing(answer.keys, new Set(asked))
      if (!(await this.#fetchValues(missing))) return false
      if (answer.next === undefined) {
        souls = souls.slice(asked.length)
        after = undefined
        continue
      }
      const [soul, key] = answer.next
      const at = asked.indexOf(soul)
      // Each page must lead further, else a peer could keep this node asking for ever.
      if (at < 0 || (at === 0 && after !== undefined && key <= after)) return this.#broken()
      souls = souls.slice(at)
      after = key
    }
    return true
  }

  async #missing(keys: Keys, asked: ReadonlySet<string>): Promise<Place[]> {
    const breath = new Breath()
    const missing: Place[] = []
    const latest = this.#options.now() + MAX_CLOCK_SKEW
    for (const [soul, list] of keys) {
      if (!asked.has(soul)) continue
      for (const [key, ts, digest] of list) {
        // Whoever signed it has a clock far ahead, and would be refused: it is asked for once its time has come.
        if (ts > latest) continue
        const own = this.#options.present(soul, key)
        const lacking = own === undefined || own.ts < ts || (own.ts === ts && shortDigest(own.value) !== digest)
        if (lacking && !this.#refused.has(`${soul} ${key} ${ts} ${digest}`)) missing.push([soul, key])
      }
      await breath.take()
    }
    return missing
  }

  async #fetchValues(places: readonly Place[]): Promise<boolean> {
    const { link, admit, present, questions } = this.#options
    let rest = places
    while (rest.length > 0) {
      const part = rest.slice(0, frameLimits.values)
      const answer = await questions.ask({ en: 'values?', values: part })
      if (answer === undefined) return false
      if (answer.done < 1 || answer.done > part.length) return this.#broken()
      const asked = new Set(part.slice(0, answer.done).map(([soul, key]) => `${soul} ${key}`))
      const values = answer.values.filter(([soul, key]) => asked.has(`${soul} ${key}`))
      if (values.length < answer.values.length) link.refuse('unasked')
      await admit(values.map(([soul, key, state, value]) => ({ soul, key, state, value })))
      for (const [soul, key, ts, value] of values) {
        if (present(soul, key)?.value !== value) this.#remember(`${soul} ${key} ${ts} ${shortDigest(value)}`)
      }
      rest = rest.slice(answer.done)
    }
    return !link.closed
  }

  #remember(refused: string): void {
    if (this.#refused.size >= mostRefused) this.#refused.clear()
    if (this.#refused.size === 0) this.#refusedSince = this.#options.now()
    this.#refused.add(refused)
  }

  #broken(): false {
    this.#options.link.refuse('answer')
    return false
  }
}
