import { ClockError } from './errors.ts'

/** How far ahead of the reader's clock a timestamp may lie, in milliseconds. */
export const MAX_CLOCK_SKEW = 5 * 60_000

/**
 * The timestamp of a publisher's next value under one key: `max(now, last + 1)`, in milliseconds. `last` is the
 * persisted one under that key, if there is one, so that a newer value always wins over an older one.
 * @throws ClockError when `last` is more than 5 minutes ahead of `now`: others would refuse the value
 */
export function nextTimestamp(last: number | undefined, now: number): number {
  if (last === undefined) return now
  if (last - now > MAX_CLOCK_SKEW) throw new ClockError(last, now)
  return Math.max(now, last + 1)
}
