import { EldernodeError } from '../errors.ts'

/** Bytes that should be an age v1 file are not one, are cut short, changed or out of order. */
export class SealBrokenError extends EldernodeError {
  constructor(what: string, options?: ErrorOptions) {
    super('seal_broken', `The age file ${what}: its bytes are not what was encrypted. Fetch them again.`, options)
  }
}

/** None of the identities given opens this age file. */
export class WrongIdentityError extends EldernodeError {
  constructor(options?: ErrorOptions) {
    super('wrong_identity', 'The age file was encrypted for another recipient: use the identity of one.', options)
  }
}
