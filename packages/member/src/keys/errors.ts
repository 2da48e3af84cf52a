import { EldernodeError } from '@eldernode/core'

/** A key or token file does not hold what it should. It is never replaced: that would change who this node is. */
export class BrokenSecretError extends EldernodeError {
  constructor(path: string, expected: string, options?: ErrorOptions) {
    super(
      'secret_broken',
      `${path} does not hold ${expected}. Restore it from a backup, or move it away to start with a new one.`,
      options,
    )
  }
}

/** A key or token file can be read by other users of the machine. */
export class ExposedSecretError extends EldernodeError {
  constructor(path: string, mode: number) {
    super(
      'secret_exposed',
      `${path} has mode ${mode.toString(8).padStart(4, '0')}, so other users can read it. Run: chmod 600 ${path}`,
    )
  }
}
