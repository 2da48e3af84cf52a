import { EldernodeError } from '@eldernode/core'

/**
 * The ledger's server does not answer, or its disk does not take what it should. Nothing is known of whether it has done
 * what it was asked for.
 */
export class LedgerAwayError extends EldernodeError {
  constructor(where: string, options?: ErrorOptions) {
    const reason = options?.cause instanceof Error ? ` (${options.cause.message})` : ''
    super('ledger_away', `The ledger at ${where} cannot be used now${reason}: mend that, then try again.`, options)
  }
}

/** The ledger's server is there, and does not let this tracker in: asking again changes nothing. */
export class LedgerRefusedError extends EldernodeError {
  constructor(where: string, cause: Error) {
    super(
      'ledger_refused',
      `The server at ${where} refuses to be the ledger (${cause.message}): look at the user, password and number in \`cluster.valkey\`.`,
      { cause },
    )
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

const adviceOf = (reason: string): string =>
  /not a database|malformed/.test(reason)
    ? 'it is another file, or damaged; name the right one in `ledger.file`, or bring it back from a backup'
    : 'look at its folder, owner and mode'

/** The ledger's file cannot be opened. */
export class LedgerFileError extends EldernodeError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super('ledger_file', `The ledger ${path} cannot be opened (${reason}): ${adviceOf(reason)}.`, options)
  }
}
