import { EldernodeError } from '@eldernode/core'

/** A worker of this tracker cannot start, or take on what it was told to. */
export class WorkerFailedError extends EldernodeError {
  /** The code of the error that the worker met, if that is known. */
  readonly reasonCode: string | undefined

  constructor(worker: number, reason: string, reasonCode?: string) {
    super('worker_failed', `Worker ${worker} of this tracker cannot go on: ${reason}`)
    this.reasonCode = reasonCode
  }
}

/** A worker does not take what all were told to take on. It goes on with what it had. */
export class ChangeRefusedError extends EldernodeError {
  constructor(reason: string) {
    super('change_refused', reason)
  }
}
