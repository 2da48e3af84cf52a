/**
 * Loaded ahead of a program (`--import`), it has every clock and timer of the process run faster, so that a test of minutes
 * takes seconds. Processes that begin from one moment (milliseconds since 1970) agree on the time.
 */
const [from = 0, factor = 1] = (process.env['QUICK_CLOCK'] ?? '').split('x').map(Number)

const wall = Date.now
const monotonic = performance.now.bind(performance)
Date.now = () => Math.floor(from + (wall() - from) * factor)
performance.now = () => monotonic() * factor

for (const name of ['setTimeout', 'setInterval'] as const) {
  const real = globalThis[name]
  const quick = (task: () => void, ms: number | undefined, ...rest: never[]) => real(task, (ms ?? 0) / factor, ...rest)
  Object.assign(globalThis, { [name]: Object.assign(quick, real) })
}

export {}
