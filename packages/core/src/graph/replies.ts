import type { Compat } from './compat/compat.ts'
import { mapOf } from './compat/maps.ts'
import { spoken } from './compat/value.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Link } from './link.ts'
import { limits } from './limits.ts'
import type { Entry, GraphStore } from './port.ts'
import { layouts, parseSoul } from './souls.ts'
import { putOf } from './wire/message.ts'
import type { Wire } from './wire/wire.ts'

/** A reader that leaves this much unread gets no further page until it has caught up. */
const unread = 1 << 20
const poll = 20
/** A reader that makes no room for this long is cut, in milliseconds. */
const patience = 30_000
const pageSize = 100

export interface Question {
  id: string
  soul: string
  key: string | undefined
}

export interface RepliesOptions {
  wire: Wire
  store: GraphStore
  heartbeats: Heartbeats
  compat: Compat | undefined
  onFault(error: unknown): void
}

/** Something stored, as GUN says it. `size`: characters of its text. */
interface Found {
  soul: string
  key: string
  state: number
  value: unknown
  size: number
}

/** Answers GUN's `get` from what is stored, page by page, one request of a link after the other. */
export class Replies {
  readonly #queues = new Map<Link, Question[]>()
  readonly #options: RepliesOptions

  constructor(options: RepliesOptions) {
    this.#options = options
  }

  ask(question: Question, link: Link): void {
    const queue = this.#queues.get(link)
    if (queue === undefined) {
      this.#queues.set(link, [question])
      this.#serve(link).catch(this.#options.onFault)
    } else if (queue.length >= limits.gets) link.refuse('gets')
    else queue.push(question)
  }

  async #serve(link: Link): Promise<void> {
    try {
      const queue = this.#queues.get(link) ?? []
      for (let next = queue[0]; next !== undefined && !link.closed; next = queue[0]) {
        if (await roomToSend(link)) await this.#answer(next, link)
        queue.shift()
      }
    } finally {
      this.#queues.delete(link)
    }
  }

  async #answer({ id, soul, key }: Question, link: Link): Promise<void> {
    const { wire } = this.#options
    let page: Found[] = []
    let size = 0
    let said = false
    for (const found of this.#found(soul, key, link)) {
      if (page.length > 0 && size + found.size > limits.page) {
        wire.tell(link, { to: id, put: putOf(page) })
        said = true
        page = []
        size = 0
        if (!(await roomToSend(link))) return
      }
      page.push(found)
      size += found.size
    }
    if (page.length > 0) wire.tell(link, { to: id, put: putOf(page) })
    else if (!said) wire.tell(link, { to: id })
  }

  *#found(soul: string, key: string | undefined, link: Link): Iterable<Found> {
    const { compat } = this.#options
    if (mapOf(soul) !== undefined) {
      for (const value of compat?.values(soul, key) ?? []) yield { ...spoken(value), size: value.value.length }
      return
    }
    for (const { ts, value, ...place } of this.#entries(soul, key, link)) {
      yield { ...place, state: ts, value, size: value.length }
    }
  }

  *#entries(soul: string, key: string | undefined, link: Link): Iterable<Entry> {
    const { store, heartbeats } = this.#options
    const place = parseSoul(soul)
    if (place === undefined || (place.hidden && !link.seesHidden())) return
    if (!layouts[place.kind].stored) {
      const beat = heartbeats.get(place.pub ?? '')
      if (beat !== undefined && (key === undefined || key === beat.entry.key)) yield beat.entry
      return
    }
    if (key !== undefined) {
      const entry = store.get(soul, key)
      if (entry !== undefined) yield entry
      return
    }
    let page = store.page(soul, '', pageSize)
    while (page.length > 0) {
      yield* page
      page = page.length < pageSize ? [] : store.page(soul, page.at(-1)?.key ?? '', pageSize)
    }
  }
}

/** Waits until a link has sent most of what it was given. @returns false when the link ended first */
export async function roomToSend(link: Link): Promise<boolean> {
  for (let waited = 0; !link.closed && link.queued > unread; waited += poll) {
    if (waited >= patience) link.cut()
    else await new Promise((resolve) => setTimeout(resolve, poll))
  }
  return !link.closed
}
