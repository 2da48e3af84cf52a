import type { Dispatcher } from 'undici'
import type { Logger } from 'pino'
import type { WebhookRecord, WebhookStore } from '../library/index.ts'
import { hears, mayListen, type Permits } from './audience.ts'
import type { Journal } from './journal.ts'
import { messageOf } from './message.ts'
import { post } from './post.ts'
import { signedHeaders } from './signature.ts'

export interface CourierOptions {
  /** Of the node; a part of each message's id. */
  node: string
  store: WebhookStore
  journal: Journal
  dispatcher: Dispatcher
  permits: Permits
  log: Pick<Logger, 'warn' | 'error'>
  now: () => number
  /** Between 0 and 1. */
  random: () => number
}

const second = 1000
const hour = 3600 * second
/** Between one try and the next; after the last one an event is given up. */
export const backoffMs = [
  5 * second,
  60 * second,
  300 * second,
  1800 * second,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
]
/** Events that wait to be tried again; with so many no further one is tried. */
const mostPending = 100
/** Webhooks asked at once. */
const mostAtOnce = 8
const page = 100
const pauseMs = 5000

/**
 * Brings events to webhooks, at least once each, and one at a time to each webhook. What is not taken is tried again while
 * later events go on; who takes nothing is tried again with the first ones only.
 */
export class Courier {
  readonly #options: CourierOptions
  readonly #stopping = new AbortController()
  readonly #busy = new Map<string, Promise<void>>()
  /** Webhooks that may have something to do. */
  readonly #waiting = new Set<string>()
  /** All that there are: each was nudged when it was made. */
  readonly #known = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #unwatch = (): void => undefined

  constructor(options: CourierOptions) {
    this.#options = options
  }

  start(): void {
    const { store, journal } = this.#options
    for (const { id } of store.all()) this.nudge(id)
    this.#unwatch = journal.watch(() => {
      for (const id of this.#known) this.nudge(id)
    })
  }

  /** Has a webhook looked at that is new, has changed, or may have something to do. */
  nudge(id: string): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.#known.add(id)
    this.#waiting.add(id)
    this.#begin()
  }

  async close(): Promise<void> {
    this.#unwatch()
    this.#stopping.abort()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    await Promise.allSettled(this.#busy.values())
  }

  #begin(): void {
    for (const id of this.#waiting) {
      if (this.#stopping.signal.aborted || this.#busy.size >= mostAtOnce) return
      if (this.#busy.has(id)) continue
      this.#waiting.delete(id)
      const run = this.#serve(id)
        .catch((error: unknown) => {
          if (this.#stopping.signal.aborted) return
          this.#options.log.error({ err: error, webhook: id }, 'a webhook could not be served')
          this.#later(id, pauseMs)
        })
        .finally(() => {
          this.#busy.delete(id)
          this.#begin()
        })
      this.#busy.set(id, run)
    }
  }

  /** One event, or a page of such as it does not hear of; then it is the turn of others. */
  async #serve(id: string): Promise<void> {
    const { store, journal, now } = this.#options
    const webhook = store.get(id)
    if (webhook === undefined) this.#known.delete(id)
    if (webhook === undefined || !webhook.active || !mayListen(webhook, this.#options.permits)) return
    const [due] = store.deliveries(id, 1)
    if (due !== undefined && due.nextAt <= now()) {
      await this.#deliver(webhook, due.event, due.attempts)
      return
    }
    if (store.pending(id) < mostPending && webhook.position < journal.newest()) {
      await this.#advance(webhook)
      return
    }
    if (due !== undefined) this.#later(id, due.nextAt - now())
  }

  async #advance(webhook: WebhookRecord): Promise<void> {
    const { store, journal } = this.#options
    const events = journal.after(webhook.position, page)
    const heard = events.find((event) => hears(webhook, event))
    const last = heard ?? events.at(-1)
    if (heard !== undefined) await this.#deliver(webhook, heard.id, 0)
    else {
      // Forgotten events are passed over.
      store.settle(webhook.id, { position: last?.id ?? journal.newest() })
      this.#waiting.add(webhook.id)
    }
  }

  async #deliver(webhook: WebhookRecord, event: number, attempts: number): Promise<void> {
    const { store, journal, log, now, random, dispatcher, node, permits } = this.#options
    const { id, secret, url } = webhook
    const record = journal.get(event)
    if (record === undefined) store.settle(id, { position: event, event, givenUp: 1 })
    else {
      const body = JSON.stringify(messageOf(record, webhook))
      const headers = signedHeaders(secret, `msg_${node}_${event}`, now(), body)
      const { result, words } = await post(url, headers, body, { dispatcher, signal: this.#stopping.signal })
      const outcome = { position: event, event, lastAt: now(), lastOutcome: words }
      const wait = backoffMs[attempts]
      if (result === 'taken') store.settle(id, { ...outcome, delivered: 1 })
      else if (result === 'gone') store.settle(id, { ...outcome, givenUp: 1, active: false })
      // Its owner's token was revoked meanwhile, and what waited was dropped.
      else if (store.get(id)?.active === false && !mayListen(webhook, permits))
        store.settle(id, { ...outcome, givenUp: 1 })
      else if (wait === undefined) {
        log.warn({ webhook: id, event, outcome: words }, 'an event was never taken and is given up')
        store.settle(id, { ...outcome, givenUp: 1 })
      } else {
        const nextAt = now() + Math.round(wait * (1 + random() / 5))
        store.settle(id, { ...outcome, again: { attempts: attempts + 1, nextAt } })
      }
    }
    this.#waiting.add(id)
  }

  #later(id: string, ms: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.set(
      id,
      setTimeout(() => this.nudge(id), Math.min(Math.max(ms, 0), 2 ** 31 - 1)),
    )
  }
}
