/**
 * Every error that eldernode throws on purpose. `code` is stable: clients and operators may depend on it, so it is
 * never renamed. The message says what happened, to what, and what to do.
 */
export class EldernodeError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A value from outside does not have the shape that its format asks for. */
export class InvalidInputError extends EldernodeError {
  constructor(message: string, options?: ErrorOptions) {
    super('invalid_input', message, options)
  }
}

/** A signature is missing, malformed or does not match its signer. */
export class BadSignatureError extends EldernodeError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_signature', message, options)
  }
}

const outOfRoom = new Set<unknown>(['ENOSPC', 'EDQUOT'])
const sqliteFull = 13

/** The disk, or this user's quota on it, has no room left. What was being written is gone again. */
export class DiskFullError extends EldernodeError {
  constructor(folder: string, options?: ErrorOptions) {
    super('disk_full', `There is no room left on the disk of ${folder}: free some space, then try again.`, options)
  }

  /** The error to throw for `error`: a DiskFullError when a file system or SQLite ran out of room, else itself. */
  static of(error: unknown, folder: string): unknown {
    if (!(error instanceof Error) || error instanceof DiskFullError) return error
    const full = ('code' in error && outOfRoom.has(error.code)) || ('errcode' in error && error.errcode === sqliteFull)
    return full ? new DiskFullError(folder, { cause: error }) : error
  }
}

const unwritable = new Set<unknown>(['EROFS', 'EACCES', 'EPERM', 'EIO'])

/** The file system takes no writes, or failed at one. What was being written is not stored. */
export class DiskUnwritableError extends EldernodeError {
  constructor(folder: string, reason: string, options?: ErrorOptions) {
    super(
      'disk_unwritable',
      `The folder ${folder} cannot be written (${reason}): look at how its disk is mounted, at the folder's owner and ` +
        "at the system's log for errors of the disk, then try again.",
      options,
    )
  }

  /** The error to throw for `error`: a DiskUnwritableError, a DiskFullError, or itself when it is about something else. */
  static of(error: unknown, folder: string): unknown {
    if (!(error instanceof Error) || error instanceof EldernodeError) return error
    const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
    if (unwritable.has(code)) return new DiskUnwritableError(folder, code, { cause: error })
    return DiskFullError.of(error, folder)
  }
}
