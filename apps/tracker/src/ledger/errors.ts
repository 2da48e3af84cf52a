import { EldernodeError } from '@eldernode/core'

/** The server of the ledger does not answer. Nothing is known of whether it has done what it was asked for. */
export class LedgerAwayError extends EldernodeError {
  constructor(where: string, options?: ErrorOptions) {
    super('ledger_away', `The ledger at ${where} does not answer: look whether it runs, then try again.`, options)
  }
}

/** There are as many keys or entries as one tracker keeps. */
export class LedgerFullError extends EldernodeError {
  constructor(what: string, most: number) {
    super('ledger_full', `There are ${most} ${what}, and no tracker keeps more: take some away first.`)
  }
}

/** The ledger was written by a later version. */
export class LedgerTooNewError extends EldernodeError {
  constructor(where: string, version: number) {
    super(
      'ledger_too_new',
      `The ledger at ${where} has version ${version}, which this tracker does not know: update it, or name another one.`,
    )
  }
}

/** The ledger's file cannot be opened. */
export class LedgerFileError extends EldernodeError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      'ledger_file',
      `The ledger ${path} cannot be opened (${reason}): look at its folder, owner and mode.`,
      options,
    )
  }
}
