import { Breath } from './breath.ts'
import { frameLimits } from './frames.ts'
import type { Answer, AnswerTo, Ask, Frame } from './frames.ts'
import type { Link } from './link.ts'
import { limits } from './limits.ts'
import type { Entry } from './port.ts'
import { roomToSend } from './replies.ts'
import { shortDigest } from './sums.ts'
import type { Sums } from './sums.ts'
import type { Group } from './souls.ts'
import type { Candidate } from './wire/message.ts'

/** How long an answer may take, in milliseconds. */
const answerTime = 20_000
/** Requests of the other side that wait for their turn. */
const mostWaiting = 16
/** Values that were fetched and refused, remembered so that they are not fetched again and again. */
const mostRefused = 10_000

type Place = readonly [soul: string, key: string]

export interface ExchangeOptions {
  link: Link
  sums: Sums
  present(soul: string, key: string): Entry | undefined
  /** Whether values of this group would be taken at all. */
  wants(group: Group): boolean
  /** Hands fetched values to the guard and, if they pass, to the store and the other links. */
  admit(values: readonly Candidate[], link: Link): void | Promise<void>
  send(frame: Frame): void
  /** Resolves once everything taken so far is in the store. */
  settled(): Promise<void>
  /** Says every heartbeat that is known, as gossip. */
  tellHeartbeats(): void
  onFault(error: unknown): void
}

/**
 * Brings one link's two nodes in step. Each side tells its sums and fetches what it lacks: group digests, then the
 * bucket digests of groups that differ, then the keys of buckets that differ, then the values it has not. One request
 * at a time is under way, so a slow node sets its own pace.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #theirs = new Map<Group, string>()
  #incoming = new Map<Group, string>()
  readonly #refused = new Set<string>()
  #asked: { n: number; en: Answer['en']; settle: (answer: Answer | undefined) => void } | undefined
  #counter = 0
  #serving = Promise.resolve()
  #waiting = 0
  #fetching = false
  #again = false
  #telling = false
  #tellAgain = false
  #beaten = false

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Tells the other side what this node holds. Asked for several times at once, it tells once more afterwards. */
  tellSums(): void {
    this.#tellAgain = true
    if (this.#telling) return
    this.#telling = true
    this.#tellAll().catch(this.#options.onFault)
  }

  async #tellAll(): Promise<void> {
    try {
      while (this.#tellAgain && !this.#options.link.closed) {
        this.#tellAgain = false
        await this.#tell()
      }
    } finally {
      this.#telling = false
    }
  }

  /**
   * A link gets by gossip what is taken from the moment it has joined. What was taken before must be in the sums, and
   * so in the store.
   */
  async #tell(): Promise<void> {
    const { sums, send, link, settled } = this.#options
    await settled()
    const all: [Group, string][] = []
    for (const group of sums.groups()) {
      const digest = await sums.digest(group)
      if (digest !== undefined) all.push([group, digest])
    }
    for (let from = 0; !link.closed && from <= all.length; from += frameLimits.groups) {
      const part = all.slice(from, from + frameLimits.groups)
      const last = from + frameLimits.groups >= all.length
      send({ en: 'sums', sums: part, last })
      if (last) return
    }
  }

  /** Compares again: this node may take now what it refused before. */
  refresh(): void {
    this.#refused.clear()
    this.#options.send({ en: 'sums?' })
  }

  take(frame: Exclude<Frame, { en: 'hello' | 'proof' }>): void {
    const { link } = this.#options
    switch (frame.en) {
      case 'beats?':
        return link.mayAsk() ? this.#options.tellHeartbeats() : link.refuse('ask_rate')
      case 'sums?':
        return link.mayAsk() ? this.tellSums() : link.refuse('ask_rate')
      case 'sums':
        return this.#takeSums(frame)
      case 'buckets?':
      case 'keys?':
      case 'values?':
        return this.#queue(frame)
      case 'buckets':
      case 'keys':
      case 'values':
        if (this.#asked?.n !== frame.n || this.#asked.en !== frame.en) link.refuse('answer')
        else this.#asked.settle(frame)
    }
  }

  close(): void {
    this.#asked?.settle(undefined)
  }

  #takeSums({ sums, last }: Extract<Frame, { en: 'sums' }>): void {
    for (const [group, digest] of sums) this.#incoming.set(group, digest)
    if (this.#incoming.size > limits.publishers + 1) {
      this.#incoming.clear()
      return this.#options.link.refuse('sums')
    }
    if (!last) return
    this.#theirs.clear()
    for (const [group, digest] of this.#incoming) this.#theirs.set(group, digest)
    this.#incoming = new Map()
    this.#fetch()
  }

  #fetch(): void {
    this.#again = true
    if (this.#fetching) return
    this.#fetching = true
    this.#fetchAll().catch(this.#options.onFault)
  }

  async #fetchAll(): Promise<void> {
    const { link, send } = this.#options
    try {
      while (this.#again && !link.closed) {
        this.#again = false
        link.inSync = await this.#compare()
        // The first time only now: before, this node may not have known whose heartbeats count.
        if (link.inSync && !this.#beaten) send({ en: 'beats?' })
        this.#beaten ||= link.inSync
      }
    } finally {
      this.#fetching = false
    }
  }

  /** @returns whether every difference was dealt with */
  async #compare(): Promise<boolean> {
    const { sums, wants, link } = this.#options
    // The owner's word first: it tells whose values count.
    const groups = [...this.#theirs.keys()].toSorted((a, b) => Number(b === 'owner') - Number(a === 'owner'))
    for (const group of groups) {
      if (!wants(group) || (await sums.digest(group)) === this.#theirs.get(group)) continue
      const answer = await this.#ask({ en: 'buckets?', n: this.#next(), group })
      if (answer === undefined) return false
      const own = new Map(await sums.buckets(group))
      const differing = answer.buckets.filter(([soul, digest]) => own.get(soul) !== digest).map(([soul]) => soul)
      if (!differing.every((soul) => sums.belongs(soul, group))) return this.#broken()
      if (!(await this.#fetchBuckets(differing))) return false
    }
    return !link.closed
  }

  async #fetchBuckets(differing: string[]): Promise<boolean> {
    let souls = differing
    let after: string | undefined
    while (souls.length > 0) {
      const ask = { en: 'keys?' as const, n: this.#next(), souls: souls.slice(0, frameLimits.souls) }
      const answer = await this.#ask(after === undefined ? ask : { ...ask, after })
      if (answer === undefined) return false
      const missing = await this.#missing(answer.keys, new Set(souls))
      if (!(await this.#fetchValues(missing))) return false
      if (answer.next === undefined) {
        souls = souls.slice(frameLimits.souls)
        after = undefined
      } else {
        const at = souls.indexOf(answer.next[0])
        // Each page must lead further, else a peer could keep this node asking for ever.
        if (at < 0 || (at === 0 && after !== undefined && answer.next[1] <= after)) return this.#broken()
        souls = souls.slice(at)
        after = answer.next[1]
      }
    }
    return true
  }

  async #missing(
    keys: AnswerTo<{ en: 'keys?'; n: number; souls: string[] }>['keys'],
    asked: Set<string>,
  ): Promise<Place[]> {
    const breath = new Breath()
    const missing: Place[] = []
    for (const [soul, list] of keys) {
      if (!asked.has(soul)) continue
      for (const [key, ts, digest] of list) {
        const own = this.#options.present(soul, key)
        const older = own === undefined || own.ts < ts || (own.ts === ts && shortDigest(own.value) !== digest)
        if (older && !this.#refused.has(`${soul} ${key} ${ts} ${digest}`)) missing.push([soul, key])
      }
      await breath.take()
    }
    return missing
  }

  async #fetchValues(places: readonly Place[]): Promise<boolean> {
    const { link, admit, present } = this.#options
    let rest = places
    while (rest.length > 0) {
      const part = rest.slice(0, frameLimits.values)
      const answer = await this.#ask({ en: 'values?', n: this.#next(), values: part.map(([soul, key]) => [soul, key]) })
      if (answer === undefined) return false
      if (answer.done < 1 || answer.done > part.length) return this.#broken()
      const asked = new Set(part.slice(0, answer.done).map(([soul, key]) => `${soul} ${key}`))
      const values = answer.values.filter(([soul, key]) => asked.has(`${soul} ${key}`))
      if (values.length < answer.values.length) link.refuse('unasked')
      await admit(
        values.map(([soul, key, state, value]) => ({ soul, key, state, value })),
        link,
      )
      for (const [soul, key, ts, value] of values) {
        if (present(soul, key)?.value !== value) this.#remember(`${soul} ${key} ${ts} ${shortDigest(value)}`)
      }
      rest = rest.slice(answer.done)
    }
    return !link.closed
  }

  #remember(refused: string): void {
    if (this.#refused.size >= mostRefused) this.#refused.clear()
    this.#refused.add(refused)
  }

  #broken(): false {
    this.#options.link.refuse('answer')
    return false
  }

  #next(): number {
    return ++this.#counter
  }

  /** @returns the answer, or nothing when none came in time or the link ended */
  #ask<A extends Ask>(ask: A): Promise<AnswerTo<A> | undefined> {
    const { link, send } = this.#options
    if (link.closed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        clearTimeout(timer)
        this.#asked = undefined
        resolve(answer as AnswerTo<A> | undefined)
      }
      const timer = setTimeout(() => settle(undefined), answerTime)
      this.#asked = { n: ask.n, en: ask.en.slice(0, -1) as Answer['en'], settle }
      send(ask)
    })
  }

  #queue(ask: Ask): void {
    const { link, onFault } = this.#options
    if (this.#waiting >= mostWaiting || !link.mayAsk()) return link.refuse('ask_rate')
    this.#waiting++
    this.#serving = this.#serving
      .then(() => this.#serve(ask))
      .catch(onFault)
      .finally(() => this.#waiting--)
  }

  async #serve(ask: Ask): Promise<void> {
    const { sums, send, link } = this.#options
    if (!(await roomToSend(link))) return
    if (ask.en === 'buckets?') {
      const buckets = await sums.buckets(ask.group)
      send({ en: 'buckets', n: ask.n, buckets: buckets.slice(0, frameLimits.buckets) })
    } else if (ask.en === 'keys?') send(await this.#keys(ask))
    else send(this.#values(ask))
  }

  async #keys({ n, souls, after }: Extract<Ask, { en: 'keys?' }>): Promise<Answer> {
    const { sums } = this.#options
    const breath = new Breath()
    const keys: Extract<Answer, { en: 'keys' }>['keys'] = []
    let room: number = frameLimits.keys
    for (const [index, soul] of souls.entries()) {
      if (!sums.isCompared(soul)) continue
      const list: [string, number, string][] = []
      keys.push([soul, list])
      for await (const { key, ts, value } of sums.entries(soul, index === 0 ? (after ?? '') : '', breath)) {
        list.push([key, ts, shortDigest(value)])
        // About 80 characters each: a page stays near 256 KB, at most twice that.
        if (--room === 0) return { en: 'keys', n, keys, next: [soul, key] }
      }
    }
    return { en: 'keys', n, keys }
  }

  #values({ n, values: places }: Extract<Ask, { en: 'values?' }>): Answer {
    const { present, sums } = this.#options
    const values: [string, string, number, string][] = []
    let size = 0
    let done = 0
    for (const [soul, key] of places) {
      const entry = sums.isCompared(soul) ? present(soul, key) : undefined
      if (entry !== undefined) {
        size += entry.value.length + soul.length + key.length
        if (size > limits.page && values.length > 0) break
        values.push([soul, key, entry.ts, entry.value])
      }
      done++
    }
    return { en: 'values', n, values, done }
  }
}
