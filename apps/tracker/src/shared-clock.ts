/**
 * Milliseconds of a clock that all processes of this machine share and nobody sets (`CLOCK_MONOTONIC`), at the cost of
 * `performance.now()`, which begins anew with each process.
 */
export const sharedClock = (): (() => number) => {
  const ahead = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now()
  return () => performance.now() + ahead
}
