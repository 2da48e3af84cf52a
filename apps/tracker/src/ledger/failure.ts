/** What goes wrong in the ledger's thread, which loads nothing of the rest of the program. */
export class LedgerFailure extends Error {
  readonly fault: Fault

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.kind, options)
    this.fault = fault
  }
}

/** As it crosses threads. */
export type Fault =
  | { kind: 'full'; what: string; most: number }
  | { kind: 'too_new'; version: number }
  | { kind: 'file'; reason: string }
  | { kind: 'other'; reason: string }

export const faultOf = (error: unknown): Fault =>
  error instanceof LedgerFailure
    ? error.fault
    : { kind: 'other', reason: error instanceof Error ? error.message : String(error) }
