/**
 * Hands out what `source` yields until `signal` aborts, then throws its reason at once, even while the source stalls.
 * The source is told to end, and not waited for.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  signal?.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let onAbort: ((reason: unknown) => void) | undefined
  const listener = () => onAbort?.(signal?.reason)
  signal?.addEventListener('abort', listener)
  let ended = false
  try {
    for (;;) {
      const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
        onAbort = reject
        if (signal?.aborted) reject(signal.reason as Error)
        else iterator.next().then(resolve, reject)
      })
      ended = result.done === true
      if (ended) return
      yield result.value
    }
  } finally {
    signal?.removeEventListener('abort', listener)
    if (!ended) iterator.return?.(undefined).catch(() => undefined)
  }
}
