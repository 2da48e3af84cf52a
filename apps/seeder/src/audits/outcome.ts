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
/** Bytes per millisecond that a holder gives at least, disk and network together: 1 Mbit/s. */
const slowest = 128
/** Of a larger piece only so much must come in time: where links are slow, whole ones take longer than fetching. */
const sampleBytes = 16_384
/** Threat: who answers all slowly would get time to fetch what it is asked for. */
const longestTripMs = 500

/** The stretch of a piece that is asked for ahead of the whole, and must come in time; none of a small piece. */
export interface Sample {
  start: number
  length: number
}

/**
 * Threat: who kept the beginning of each piece alone could give that at once, and fetch the rest meanwhile.
 * @param random within 0 and 1
 */
export function sampleOf(bytes: number, random: number): Sample | undefined {
  if (bytes <= 2 * sampleBytes) return undefined
  return { start: Math.floor(random * (bytes - sampleBytes)), length: sampleBytes }
}

/** Milliseconds in which a small piece, or the sample of another, must have come. @param tripMs the measured round trip */
export function deadlineOf(bytes: number, tripMs: number): number {
  return Math.min(tripMs, longestTripMs) * 4 + graceMs + bytes / slowest
}

/** Answers by which a holder says itself that it has not what it claims, or that it is another. */
const denials = new Set([400, 404, 416, 421])

/**
 * Whether an answer that is no piece is a failure. Others are not: the holder may be busy, its disk away, its clock wrong,
 * its knowledge of the auditor's certificate old, or the item taken down a moment ago (410). Without a proof all the same, it gains nothing by them.
 */
export function isDenial(status: number): boolean {
  return denials.has(status)
}
