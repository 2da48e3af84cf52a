import { EldernodeError } from '@eldernode/core'

/** A worker of this tracker cannot start, or take on what it was told to. */
export class WorkerFailedError extends EldernodeError {
  constructor(worker: number, reason: string) {
    super('worker_failed', `Worker ${worker} of this tracker cannot go on: ${reason}`)
  }
}
