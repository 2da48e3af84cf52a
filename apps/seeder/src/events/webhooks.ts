import { randomBytes } from 'node:crypto'
import type { WebhookRecord, WebhookStore } from '../library/index.ts'
import { mayListen, type Permits } from './audience.ts'
import { TooManyWebhooksError, WebhookNotFoundError } from './errors.ts'
import type { Journal } from './journal.ts'
import { createSecret } from './signature.ts'

export interface WebhooksOptions {
  store: WebhookStore
  journal: Journal
  /** Has a webhook looked at that is new or was changed. */
  nudge(id: string): void
  permits: Permits
  now: () => number
  most?: number
  mostOfOne?: number
}

/** Whose webhooks are asked for; an administrator's question is about all of them. */
export interface Asker {
  owner: string
  admin: boolean
}

export interface WebhookOptions {
  url: string
  types: string[]
  label: string
  active: boolean
}

/** Who is told of events by HTTP requests. */
export class Webhooks {
  readonly #options: Required<WebhooksOptions>

  constructor(options: WebhooksOptions) {
    this.#options = { most: 1000, mostOfOne: 20, ...options }
  }

  list({ owner, admin }: Asker): WebhookRecord[] {
    const { store } = this.#options
    return admin ? store.all() : store.of(owner)
  }

  /** @throws WebhookNotFoundError */
  get({ owner, admin }: Asker, id: string): WebhookRecord {
    const webhook = this.#options.store.get(id)
    if (webhook === undefined || !(admin || webhook.owner === owner)) throw new WebhookNotFoundError(id)
    return webhook
  }

  /** It hears of what happens from now on. @throws TooManyWebhooksError */
  create({ owner, admin }: Asker, options: WebhookOptions): WebhookRecord {
    const { store, journal, nudge, now, most, mostOfOne } = this.#options
    if (store.all().length >= most) throw new TooManyWebhooksError(most, 'This node')
    if (!admin && store.of(owner).length >= mostOfOne) throw new TooManyWebhooksError(mostOfOne, 'This owner')
    const webhook: WebhookRecord = {
      ...options,
      id: randomBytes(12).toString('hex'),
      owner,
      everything: admin,
      secret: createSecret(),
      createdAt: now(),
      position: journal.newest(),
      delivered: 0,
      givenUp: 0,
    }
    store.put(webhook)
    nudge(webhook.id)
    return webhook
  }

  /** One that was not active hears of what happens from now on. @throws WebhookNotFoundError */
  change(asker: Asker, id: string, options: WebhookOptions): WebhookRecord {
    const { store, journal, nudge } = this.#options
    const before = this.get(asker, id)
    const position = before.active ? before.position : journal.newest()
    const webhook = { ...before, ...options, position }
    store.put(webhook)
    nudge(id)
    return webhook
  }

  /** A token of that owner was revoked: what no other one permits becomes inactive, with nothing left to be sent. */
  revoke(owner: string): void {
    const { store, journal, permits } = this.#options
    for (const webhook of store.of(owner))
      if (!mayListen(webhook, permits)) store.silence(webhook.id, journal.newest(), 'its token was revoked')
  }

  /** A token of that owner was made: what waited for one goes on. */
  resume(owner: string): void {
    for (const { id } of this.#options.store.of(owner)) this.#options.nudge(id)
  }

  /** @throws WebhookNotFoundError */
  delete(asker: Asker, id: string): void {
    this.get(asker, id)
    this.#options.store.delete(id)
  }
}
