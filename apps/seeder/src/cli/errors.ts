import { EldernodeError } from '@eldernode/core'

/** What was typed is no command of this program. */
export class UsageError extends EldernodeError {
  constructor(message: string) {
    super('usage', `${message}\nRun "eldernode --help".`)
  }
}

/** The node cannot be asked. */
export class UnreachableError extends EldernodeError {
  constructor(url: string, options: { cause: unknown }) {
    const cause =
      options.cause instanceof Error && options.cause.cause instanceof Error ? options.cause.cause : undefined
    super(
      'unreachable',
      `No node answers at ${url}${cause === undefined ? '' : ` (${cause.message})`}: start it, or give its --url.`,
      options,
    )
  }
}

/** The node refused. */
export class RefusedError extends EldernodeError {
  constructor(status: number, detail: string) {
    super('refused', `The node answered ${status}: ${detail}`)
  }
}
