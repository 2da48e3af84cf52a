import { EldernodeError } from '@eldernode/core'

export class UnauthorizedError extends EldernodeError {
  constructor() {
    super('unauthorized', 'This door needs the token of the admin API: send it as `Authorization: Bearer <token>`.')
  }
}

export class RouteNotFoundError extends EldernodeError {
  constructor(method: string, path: string) {
    super('route_not_found', `There is no ${method} ${path.slice(0, 200)} here: docs/tracker.md lists what there is.`)
  }
}

export class KeyNotFoundError extends EldernodeError {
  constructor(id: number) {
    super('key_not_found', `There is no key ${id}: GET /v1/keys lists those that there are.`)
  }
}

export class NoLedgerError extends EldernodeError {
  constructor() {
    super(
      'no_ledger',
      'This tracker keeps no keys, lists or bans: set `ledger.file` or `cluster.valkey`, and restart it.',
    )
  }
}

export class BodyError extends EldernodeError {
  constructor(code: 'body_too_large' | 'invalid_json' | 'unsupported_media_type' | 'upload_aborted', message: string) {
    super(code, message)
  }
}

export class BusyError extends EldernodeError {
  constructor(most: number) {
    super('busy', `${most} requests of the admin API are under way: try again in a moment.`)
  }
}
