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
