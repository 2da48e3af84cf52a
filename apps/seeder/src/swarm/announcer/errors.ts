import { EldernodeError } from '@eldernode/core'

/** A tracker understood the announce and refuses this torrent; it is asked again late. */
export class TrackerRefusedError extends EldernodeError {
  /** Milliseconds until the tracker wants to be asked again, when it says so (BEP 31); Infinity for never. */
  readonly retryIn: number | undefined

  constructor(tracker: string, reason: string, retryIn?: number) {
    super('tracker_refused', `${tracker} refuses the announce: ${printable(reason)}`)
    this.retryIn = retryIn
  }
}

/** A tracker cannot be reached, or what answers there is no tracker. */
export class TrackerFailedError extends EldernodeError {
  /** Milliseconds until the tracker wants to hear of this node again, when it says so. */
  readonly retryAfter: number | undefined

  constructor(tracker: string, reason: string, options?: ErrorOptions & { retryAfter?: number | undefined }) {
    super('tracker_failed', `${tracker} does not answer as a tracker: ${printable(reason)}`, options)
    this.retryAfter = options?.retryAfter
  }
}

/** What a tracker says, fit for a log: short, and without characters that steer a terminal. */
export function printable(text: string): string {
  return text.slice(0, 200).replace(/\p{C}+/gu, ' ')
}
