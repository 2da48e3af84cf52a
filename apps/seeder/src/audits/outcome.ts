/**
 * What came of asking a holder for a piece. `passed`: it came, right and in time. `failed`: something else came, or the
 * holder says that it has it not. `late`: it was right. `silent`: nothing came that says anything.
 */
export type Outcome =
  | { what: 'passed'; ms: number }
  | { what: 'failed'; piece: number; reason: string }
  | { what: 'late'; ms: number }
  | { what: 'silent'; reason: string }

/** Beyond four round trips: a seek on a busy disk, and a busy process. */
const graceMs = 250
/** Bytes per millisecond that a holder gives at least, disk and network together. */
const slowest = 8_000
/** Threat: who answers all slowly would get time to fetch what it is asked for. */
const longestTripMs = 500

/** Milliseconds in which a piece must have come whole. @param tripMs the measured round trip */
export function deadlineOf(bytes: number, tripMs: number): number {
  return Math.min(tripMs, longestTripMs) * 4 + graceMs + bytes / slowest
}

/** Answers by which a holder says itself that it has not what it claims, or that it is another. */
const denials = new Set([400, 404, 410, 416, 421])

/**
 * Whether an answer that is no piece is a failure. Others are not: the holder may be busy, its disk away, its clock wrong,
 * or its knowledge of the auditor's certificate old. Without a proof all the same, it gains nothing by them.
 */
export function isDenial(status: number): boolean {
  return denials.has(status)
}
