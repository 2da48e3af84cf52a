import { EldernodeError } from '@eldernode/core'

/** Another process works on the same folder or file. */
export class LockedError extends EldernodeError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'locked',
      `${path} is held: another eldernode process works there. Stop that one, or give this one a place of its own.`,
      options,
    )
  }
}
