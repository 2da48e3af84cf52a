import type { ServerResponse } from 'node:http'
import type { EventRoom } from '../../events/index.ts'
import { hears, type Listener, messageOf, TooManyListenersError } from '../../events/index.ts'

export interface EventStreamsOptions {
  journal: Pick<EventRoom['journal'], 'after' | 'newest' | 'oldest' | 'watch'>
  /** A client that takes nothing for so many milliseconds is cut off; it comes back for the rest. */
  stallMs: number
  most?: number
  mostOfOne?: number
}

const page = 500
/** Proxies close what is silent for longer. */
const signOfLifeMs = 15_000

/** Clients that listen for events (Server-Sent Events, HTML Living Standard). Each reads at its own pace. */
export class EventStreams {
  readonly #options: Required<EventStreamsOptions>
  readonly #open = new Map<ServerResponse, Listener>()

  constructor(options: EventStreamsOptions) {
    this.#options = { most: 512, mostOfOne: 32, ...options }
  }

  /** @throws TooManyListenersError */
  admit(listener: Listener): void {
    const { most, mostOfOne } = this.#options
    if (this.#open.size >= most) throw new TooManyListenersError(most)
    const same = [...this.#open.values()].filter(({ owner }) => owner === listener.owner).length
    if (!listener.everything && same >= mostOfOne) throw new TooManyListenersError(mostOfOne)
  }

  /**
   * Sends what happened after `position`, and then what happens, until either side has enough. The head was sent.
   * @param position the number of the last event that the client has; undefined begins with the next one
   */
  async run(response: ServerResponse, listener: Listener, position: number | undefined): Promise<void> {
    const { journal } = this.#options
    const life = new Life()
    this.#open.set(response, listener)
    response.once('close', () => life.end())
    const unwatch = journal.watch(() => life.wake())
    const sign = setInterval(() => life.owe(), signOfLifeMs)
    try {
      const newest = journal.newest()
      // One from another node, or from before the catalog was lost, says nothing of what is missed.
      let at = position === undefined || position > newest ? newest : position
      await this.#write(response, 'retry: 3000\n\n')
      if (position !== undefined && (position > newest || position < journal.oldest() - 1)) {
        await this.#write(response, `event: gap\ndata: ${JSON.stringify({ oldest: journal.oldest(), newest })}\n\n`)
      }
      while (!life.isOver) {
        const events = journal.after(at, page)
        const heard = events.filter((event) => hears(listener, event))
        for (const event of heard) {
          const data = JSON.stringify(messageOf(event, listener))
          await this.#write(response, `id: ${event.id}\nevent: ${event.type}\ndata: ${data}\n\n`)
        }
        at = events.at(-1)?.id ?? at
        if (events.length === page) await life.turn()
        else if ((await life.news()) === 'owes') await this.#write(response, ': still here\n\n')
      }
    } catch (error) {
      if (!(error instanceof GoneError)) throw error
    } finally {
      unwatch()
      clearInterval(sign)
      this.#open.delete(response)
      response.destroy()
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#open.keys()) response.destroy()
  }

  /** Resolves once the client takes more. @throws GoneError */
  async #write(response: ServerResponse, text: string): Promise<void> {
    if (response.destroyed) throw new GoneError()
    if (response.write(text)) return
    await new Promise<void>((resolve, reject) => {
      const done = (end: () => void) => () => {
        clearTimeout(late)
        response.off('drain', taken)
        response.off('close', gone)
        end()
      }
      const taken = done(resolve)
      const gone = done(() => reject(new GoneError()))
      const late = setTimeout(gone, this.#options.stallMs)
      response.once('drain', taken)
      response.once('close', gone)
    })
  }
}

/** The client left, or takes nothing. */
class GoneError extends Error {
  constructor() {
    super('the listener left')
    this.name = 'GoneError'
  }
}

/** Wakes the loop of one stream. */
class Life {
  #over = false
  #news = false
  #owes = false
  #wake: (() => void) | undefined

  get isOver(): boolean {
    return this.#over
  }

  end(): void {
    this.#over = true
    this.#wake?.()
  }

  wake(): void {
    this.#news = true
    this.#wake?.()
  }

  /** A sign of life is due. */
  owe(): void {
    this.#owes = true
    this.#wake?.()
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Resolves once there is something to do. */
  async news(): Promise<'news' | 'owes'> {
    if (!this.#over && !this.#news && !this.#owes) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    const why = this.#owes && !this.#news ? 'owes' : 'news'
    this.#news = false
    this.#owes = false
    return why
  }
}
