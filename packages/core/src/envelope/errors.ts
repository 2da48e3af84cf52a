import { EldernodeError } from '../errors.ts'

/** An envelope is not canonical JSON of the right members. */
export class MalformedEnvelopeError extends EldernodeError {
  constructor(message: string, options?: ErrorOptions) {
    super('malformed_envelope', message, options)
  }
}

/** An envelope has more bytes than its kind may have. */
export class EnvelopeTooLargeError extends EldernodeError {
  constructor(kind: string, bytes: number, limit: number) {
    super('envelope_too_large', `an envelope of kind ${kind} has ${bytes} bytes; ${limit} are allowed`)
  }
}

/** An envelope belongs to another network. */
export class WrongNetworkError extends EldernodeError {
  constructor(network: string, expected: string) {
    super('wrong_network', `the envelope is of network ${network}, this node of ${expected}`)
  }
}

/** A value was signed for a time that lies ahead of this machine's clock. */
export class FutureTimestampError extends EldernodeError {
  constructor(ts: number, now: number) {
    super('future_timestamp', `the value was signed ${ts - now} ms ahead of this machine's clock; compare both clocks`)
  }
}

/** This node's own last timestamp lies ahead of its clock, so that nothing can be published. */
export class ClockError extends EldernodeError {
  constructor(last: number, now: number) {
    super(
      'clock_behind',
      `the clock says ${new Date(now).toISOString()} but the last value was signed at ${new Date(last).toISOString()}; ` +
        'nothing is published until the clock is right',
    )
  }
}
