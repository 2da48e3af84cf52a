import { EldernodeError } from '@eldernode/core'

/** A tracker understood the announce and refuses this torrent; it is asked again at the usual time. */
export class TrackerRefusedError extends EldernodeError {
  constructor(tracker: string, reason: string) {
    super('tracker_refused', `${tracker} refuses the announce: ${reason.slice(0, 200)}`)
  }
}

/** A tracker cannot be reached, or what answers there is no tracker. */
export class TrackerFailedError extends EldernodeError {
  constructor(tracker: string, reason: string, options?: ErrorOptions) {
    super('tracker_failed', `${tracker} does not answer as a tracker: ${reason}`, options)
  }
}
