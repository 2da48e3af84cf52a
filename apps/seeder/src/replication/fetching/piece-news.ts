interface Waiter {
  resolve(): void
  reject(error: unknown): void
}

/** Tells those who wait that there is something new, or that there never will be. */
export class PieceNews {
  readonly #waiters = new Set<Waiter>()
  #failure: { error: unknown } | undefined

  get failure(): unknown {
    return this.#failure?.error
  }

  tell(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { resolve } of waiters) resolve()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { reject } of waiters) reject(error)
  }

  /** Resolves at the next news. @throws what it failed with; the abort reason when aborted */
  async next(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { resolve, reject }
    const abort = (): void => reject(signal.reason)
    this.#waiters.add(waiter)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      this.#waiters.delete(waiter)
      signal.removeEventListener('abort', abort)
    }
  }
}
