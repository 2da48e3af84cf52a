import { setTimeout as pause } from 'node:timers/promises'

export interface UntilOptions {
  /** Milliseconds after which the condition counts as failed. */
  within: number
  /** Named in the failure, with the last thing seen. */
  what: string
  every?: number
}

/**
 * Asks again and again until the answer is neither `undefined` nor `false`. An error counts as "not yet".
 * @throws Error naming the condition and the last answer or error
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { within, what, every = 50 }: UntilOptions,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + within
  let last: unknown
  for (;;) {
    try {
      const answer = await condition()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) {
      throw new Error(`not within ${within} ms: ${what} (last: ${String(last)})`, { cause: last })
    }
    await pause(every)
  }
}
