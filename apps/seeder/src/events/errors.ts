import { EldernodeError } from '@eldernode/core'

/** There is no webhook of that id, or it is somebody else's. */
export class WebhookNotFoundError extends EldernodeError {
  constructor(id: string) {
    super('webhook_not_found', `There is no webhook ${id}: GET /v1/webhooks lists yours.`)
  }
}

/** As many webhooks as this node, or this owner, may have. */
export class TooManyWebhooksError extends EldernodeError {
  constructor(most: number, whose: string) {
    super('too_many_webhooks', `${whose} has ${most} webhooks, which is the most: delete one first.`)
  }
}

/** As many clients listen as this node tells at once. */
export class TooManyListenersError extends EldernodeError {
  constructor(most: number) {
    super('too_many_listeners', `${most} clients listen for events already, which is the most: try again later.`)
  }
}
