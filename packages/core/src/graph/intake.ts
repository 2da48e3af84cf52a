import type { Admitted, Guard } from './guard.ts'
import type { Compat } from './compat/compat.ts'
import type { CompatValue } from './compat/port.ts'
import { spoken } from './compat/value.ts'
import { limits } from './limits.ts'
import type { Kind } from './port.ts'
import { parseSoul } from './souls.ts'
import type { Link } from './link.ts'
import { candidateOf } from './portions.ts'
import { rebuild } from './rebuild.ts'
import { messageId, putOf } from './wire/message.ts'
import type { Candidate } from './wire/message.ts'
import type { Wire } from './wire/wire.ts'

/** Fetched values are judged and handed on in portions of this many, with other events in between. */
const portion = 64

export interface IntakeOptions {
  network: string
  /** The public maps, where this node keeps them. */
  compat: Compat | undefined
  guard: Guard
  wire: Wire
  /** Stores values that passed; `written` is called once they are in the store. */
  take(admitted: readonly Admitted[], written: (() => void) | undefined): void
  isTrusted(link: Link): boolean
  /** The kinds that this node takes, where those are not all. */
  keeps: ReadonlySet<Kind> | undefined
  /** Makes GUN know the link, if it does not yet. */
  join(link: Link): void
  frame(foreign: object, link: Link): void | Promise<void>
}

/** The way in: text is parsed, messages rebuilt, values judged, and only what passed reaches GUN and the store. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Handles one WebSocket message; done at once as long as the verifier answers at once. */
  hear(text: string, link: Link): void | Promise<void> {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return link.refuse('json')
    }
    if (!Array.isArray(message)) return this.#handle(message, link)
    if (message.length > limits.batch) return link.refuse('batch')
    return this.#handleAll(message, 0, link)
  }

  /** Values that a link was asked for go the way of gossip: through the guard, and on to the other links. */
  async fetched(values: readonly Candidate[], link: Link): Promise<void> {
    for (let from = 0; from < values.length; from += portion) {
      await this.#admit(values.slice(from, from + portion), link, messageId())
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  }

  #handleAll(messages: readonly unknown[], from: number, link: Link): void | Promise<void> {
    for (let at = from; at < messages.length && !link.closed; at++) {
      const handled = this.#handle(messages[at], link)
      if (handled instanceof Promise) return handled.then(() => this.#handleAll(messages, at + 1, link))
    }
  }

  #handle(message: unknown, link: Link): void | Promise<void> {
    const { network, compat, wire, frame, join } = this.#options
    if (typeof message === 'object' && message !== null && Object.hasOwn(message, 'en')) return frame(message, link)
    // Before it has proven itself the node that was dialled has nothing to say.
    if (link.dialled && link.node === undefined) return link.refuse('unproven')
    join(link)
    const rebuilt = rebuild(message, { network, hidden: link.seesHidden(), compat: compat !== undefined }, link.refuse)
    switch (rebuilt.type) {
      case 'nothing':
        return undefined
      case 'get':
        return link.mayAsk() ? wire.hear(rebuilt.message, link) : link.refuse('get_rate')
      case 'dam':
        return wire.hear(rebuilt.message, link)
      case 'put': {
        const { id, values } = rebuilt
        // Nodes do not acknowledge to each other: sums find what is missing. Stock clients wait for an answer.
        const written = link.node === undefined ? (): void => wire.tell(link, { to: id, ok: 1 }) : undefined
        if (rebuilt.compat !== undefined)
          this.#takeCompat(rebuilt.compat, link, values.length > 0 ? messageId() : id, written)
        return values.length === 0 ? undefined : this.#admit(values, link, id, written)
      }
    }
  }

  /** They are kept at once, and said on whoever wrote them: nobody vouches for them. */
  #takeCompat(values: readonly CompatValue[], link: Link, id: string, written: (() => void) | undefined): void {
    const kept = this.#options.compat?.take(values, link) ?? []
    if (kept.length === 0) return
    this.#options.wire.hear({ '#': id, put: putOf(kept.map(spoken)) }, link)
    written?.()
  }

  #admit(values: readonly Candidate[], link: Link, id: string, written?: () => void): void | Promise<void> {
    const { guard, isTrusted, keeps } = this.#options
    const { maySpendCheck, refuse } = link
    const wanted = keeps === undefined ? values : values.filter(({ soul }) => isOf(keeps, soul))
    const admitted = guard.admit(wanted, { trusted: isTrusted(link), maySpendCheck, refuse })
    if (admitted instanceof Promise) return admitted.then((passed) => this.#pass(passed, link, id, written))
    this.#pass(admitted, link, id, written)
  }

  #pass(admitted: readonly Admitted[], link: Link, id: string, written: (() => void) | undefined): void {
    if (admitted.length === 0) return
    const { take, wire } = this.#options
    take(admitted, written)
    // A message is for members alone or for everybody: GUN says all of it on or nothing.
    const shown = admitted.filter(({ accepted }) => !accepted.hidden)
    const hidden = admitted.filter(({ accepted }) => accepted.hidden)
    if (shown.length > 0) wire.hear({ '#': id, put: putOf(shown.map(candidateOf)) }, link)
    const hiddenId = shown.length > 0 ? messageId() : id
    if (hidden.length > 0) wire.hear({ '#': hiddenId, put: putOf(hidden.map(candidateOf)) }, link)
  }
}

/** What is no soul at all goes on to the guard, which says so. */
function isOf(kinds: ReadonlySet<Kind>, soul: string): boolean {
  const kind = parseSoul(soul)?.kind
  return kind === undefined || kinds.has(kind)
}
