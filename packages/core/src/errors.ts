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
