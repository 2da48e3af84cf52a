import { Answers } from './answers.ts'
import type { AnswersOptions } from './answers.ts'
import { Fetcher } from './fetcher.ts'
import type { FetcherOptions } from './fetcher.ts'
import { frameLimits } from './frames.ts'
import type { Frame } from './frames.ts'
import { limits } from './limits.ts'
import { Questions } from './questions.ts'
import type { Group } from './souls.ts'

export interface ExchangeOptions extends AnswersOptions, Omit<FetcherOptions, 'questions'> {
  /** Resolves once everything taken so far is in the store. */
  settled(): Promise<void>
  /** Says every heartbeat that is known, as gossip. */
  tellHeartbeats(): void
}

/**
 * Brings one link's two nodes in step. Each side tells its sums and fetches what it lacks: group digests, then the
 * bucket digests of groups that differ, then the keys of buckets that differ, then the values it has not. One request
 * at a time is under way, so a slow node sets its own pace.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #questions: Questions
  readonly #answers: Answers
  readonly #fetcher: Fetcher
  #theirs = new Map<Group, string>()
  #incoming = new Map<Group, string>()
  #fetching = false
  #fetchAgain = false
  #telling = false
  #tellAgain = false
  #knowsHeartbeats = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#questions = new Questions(options.link, options.send)
    this.#answers = new Answers(options)
    this.#fetcher = new Fetcher({ ...options, questions: this.#questions })
  }

  /**
   * Tells the other side what this node holds. Asked for several times at once, it tells once more afterwards. A node that
   * keeps some kinds only says nothing: the other side would look again and again for what is not there.
   */
  tellSums(): void {
    if (this.#options.keeps !== undefined) return
    this.#tellAgain = true
    if (this.#telling) return
    this.#telling = true
    this.#tellAll().catch(this.#options.onFault)
  }

  /** Compares again: this node may take now what it refused before. */
  refresh(): void {
    this.forgive()
    this.#options.send({ en: 'sums?' })
  }

  /** What was refused or left out may be fetched again once the sums are compared. */
  forgive(): void {
    this.#fetcher.forgive()
  }

  take(frame: Exclude<Frame, { en: 'hello' | 'proof' }>): void {
    const { link, tellHeartbeats } = this.#options
    switch (frame.en) {
      case 'beats?':
        return link.mayAsk() ? tellHeartbeats() : link.refuse('ask_rate')
      case 'sums?':
        return link.mayAsk() ? this.tellSums() : link.refuse('ask_rate')
      case 'sums':
        return this.#takeSums(frame)
      case 'buckets?':
      case 'keys?':
      case 'values?':
        return this.#answers.take(frame)
      case 'buckets':
      case 'keys':
      case 'values':
        return this.#questions.answered(frame)
    }
  }

  close(): void {
    this.#questions.close()
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
    const { sums, send, link, settled, seesHidden } = this.#options
    await settled()
    const all: [Group, string][] = []
    for (const group of sums.groups(seesHidden())) {
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

  #takeSums({ sums, last }: Extract<Frame, { en: 'sums' }>): void {
    for (const [group, digest] of sums) this.#incoming.set(group, digest)
    if (this.#incoming.size > limits.publishers + 1) {
      this.#incoming.clear()
      return this.#options.link.refuse('sums')
    }
    if (!last) return
    this.#theirs = this.#incoming
    this.#incoming = new Map()
    this.#fetchAgain = true
    if (this.#fetching) return
    this.#fetching = true
    this.#fetchAll().catch(this.#options.onFault)
  }

  async #fetchAll(): Promise<void> {
    const { link, send } = this.#options
    try {
      while (this.#fetchAgain && !link.closed) {
        this.#fetchAgain = false
        link.inSync = await this.#fetcher.fetch(this.#theirs)
        // The first time only now: before, this node may not have known whose heartbeats count.
        if (link.inSync && !this.#knowsHeartbeats) send({ en: 'beats?' })
        this.#knowsHeartbeats ||= link.inSync
      }
    } finally {
      this.#fetching = false
    }
  }
}
