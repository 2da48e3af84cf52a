import { EldernodeError } from '@eldernode/core'

/** A program that describes media is not installed, or may not be run. */
export class ToolMissingError extends EldernodeError {
  constructor(program: string, options?: ErrorOptions) {
    super('tool_missing', `The program ${program} cannot be run: install it, or set its path.`, options)
  }
}

/** A program that describes media ended without a result: the file is broken, or made to break it. */
export class ToolFailedError extends EldernodeError {
  constructor(program: string, reason: string, options?: ErrorOptions) {
    super('tool_failed', `The program ${program} gave no result: ${reason}`, options)
  }
}
