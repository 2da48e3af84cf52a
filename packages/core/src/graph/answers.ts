import { Breath } from './breath.ts'
import { frameLimits } from './frames.ts'
import type { Answer, Ask, Frame } from './frames.ts'
import type { Link } from './link.ts'
import { limits } from './limits.ts'
import type { Entry } from './port.ts'
import { roomToSend } from './replies.ts'
import { shortDigest } from './sums.ts'
import { readGroup } from './souls.ts'
import type { Sums } from './sums.ts'

/** Requests of the other side that wait for their turn. */
const mostWaiting = 16

export interface AnswersOptions {
  link: Link
  sums: Sums
  present(soul: string, key: string): Entry | undefined
  send(frame: Frame): void
  /** Whether the other node has proven that it is a member: to others what is not public does not exist. */
  seesHidden(): boolean
  onFault(error: unknown): void
}

/** Answers the node at the other end of a link, one request after the other, in pages of bounded size. */
export class Answers {
  readonly #options: AnswersOptions
  #serving = Promise.resolve()
  #waiting = 0

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  take(ask: Ask): void {
    const { link, onFault } = this.#options
    if (this.#waiting >= mostWaiting || !link.mayAsk()) return link.refuse('ask_rate')
    this.#waiting++
    this.#serving = this.#serving
      .then(() => this.#serve(ask))
      .catch(onFault)
      .finally(() => this.#waiting--)
  }

  async #serve(ask: Ask): Promise<void> {
    const { sums, send, link, seesHidden } = this.#options
    if (!(await roomToSend(link))) return
    if (ask.en === 'buckets?') {
      const shown = seesHidden() || !readGroup(ask.group).hidden
      const buckets = shown ? await sums.buckets(ask.group) : []
      send({ en: 'buckets', n: ask.n, buckets: buckets.slice(0, frameLimits.buckets) })
    } else if (ask.en === 'keys?') send(await this.#keys(ask))
    else send(this.#values(ask))
  }

  async #keys({ n, souls, after }: Extract<Ask, { en: 'keys?' }>): Promise<Answer> {
    const { sums, seesHidden } = this.#options
    const hidden = seesHidden()
    const breath = new Breath()
    const keys: Extract<Answer, { en: 'keys' }>['keys'] = []
    let room: number = frameLimits.keys
    for (const [index, soul] of souls.entries()) {
      if (!sums.isCompared(soul, hidden)) continue
      const list: [string, number, string][] = []
      keys.push([soul, list])
      for await (const { key, ts, value } of sums.entries(soul, index === 0 ? (after ?? '') : '', breath)) {
        list.push([key, ts, shortDigest(value)])
        if (--room === 0) return { en: 'keys', n, keys, next: [soul, key] }
      }
    }
    return { en: 'keys', n, keys }
  }

  #values({ n, values: places }: Extract<Ask, { en: 'values?' }>): Answer {
    const { present, sums, seesHidden } = this.#options
    const hidden = seesHidden()
    const values: [string, string, number, string][] = []
    let size = 0
    let done = 0
    for (const [soul, key] of places) {
      const entry = sums.isCompared(soul, hidden) ? present(soul, key) : undefined
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
