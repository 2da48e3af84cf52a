import { EldernodeError } from '@eldernode/core'
import type { Scope } from './scopes.ts'

/** The request has no token, or none that is valid. */
export class UnauthorizedError extends EldernodeError {
  constructor() {
    super(
      'unauthorized',
      'This needs the header "Authorization: Bearer <token>" with a valid token; make one with "eldernode token create", or take the one in admin.token in the data folder.',
    )
  }
}

/** The token is valid and may not do this. */
export class InsufficientScopeError extends EldernodeError {
  readonly scope: Scope

  constructor(scope: Scope) {
    super('insufficient_scope', `The token does not have the scope ${scope}: use one that has it.`)
    this.scope = scope
  }
}

/** The item is somebody else's. */
export class NotYourItemError extends EldernodeError {
  constructor(id: string) {
    super('not_your_item', `Item ${id} has another owner: ask that one, or use a token with the scope node:admin.`)
  }
}

/** No token has that id. */
export class TokenNotFoundError extends EldernodeError {
  constructor(id: string) {
    super('token_not_found', `There is no token ${id}: it was revoked, or expired long ago; see /v1/tokens.`)
  }
}

/** As many tokens were made as are kept. */
export class TooManyTokensError extends EldernodeError {
  constructor(most: number) {
    super('too_many_tokens', `There are ${most} tokens already: revoke those that are not needed.`)
  }
}

/** The owner's items would be larger together than they may be. */
export class StorageQuotaExceededError extends EldernodeError {
  constructor(owner: string, bytes: number) {
    super(
      'storage_quota_exceeded',
      `The items of ${owner} may have ${bytes} bytes together on this node: delete some, which counts once they are purged, or ask its operator.`,
    )
  }
}

/** The owner has as many items as it may have. */
export class ItemQuotaExceededError extends EldernodeError {
  constructor(owner: string, items: number) {
    super(
      'item_quota_exceeded',
      `${owner} may have ${items} items on this node: delete some, which counts once they are purged, or ask its operator.`,
    )
  }
}

/** The owner has published as much as it may in one day. */
export class DailyQuotaExceededError extends EldernodeError {
  readonly retryAfterMs: number

  constructor(owner: string, bytes: number, retryAfterMs: number) {
    super('daily_quota_exceeded', `${owner} may publish ${bytes} bytes a day on this node: go on after midnight UTC.`)
    this.retryAfterMs = retryAfterMs
  }
}

/** One bearer, or one address, asks more often than it may. */
export class RateLimitError extends EldernodeError {
  readonly retryAfterMs: number

  constructor(who: string, perSecond: number, retryAfterMs: number) {
    super('rate_limited', `${who} may send ${perSecond} requests per second: wait ${Math.ceil(retryAfterMs / 1000)} s.`)
    this.retryAfterMs = retryAfterMs
  }
}

/** Too many wrong tokens or signatures came from one address, so that it may try no other for a while. */
export class TooManyFailuresError extends EldernodeError {
  readonly retryAfterMs: number

  constructor(retryAfterMs: number) {
    super(
      'too_many_failures',
      `Too many wrong tokens came from this address: check the token, and wait ${Math.ceil(retryAfterMs / 1000)} s.`,
    )
    this.retryAfterMs = retryAfterMs
  }
}
