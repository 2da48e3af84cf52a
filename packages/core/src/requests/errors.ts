import { EldernodeError } from '../errors.ts'

/** A request that needs a node's signature has none, an old one, one used before, or a wrong one. */
export class UnsignedRequestError extends EldernodeError {
  constructor(message: string, options?: ErrorOptions) {
    super('unsigned_request', message, options)
  }
}

/** One node has sent more signed requests within the window than are remembered. */
export class TooManyRequestsError extends EldernodeError {
  constructor(message: string) {
    super('too_many_requests', message)
  }
}
