/** Uploads in progress, so that the library is not closed under them. */
export class RunningUploads {
  readonly #running = new Set<Promise<unknown>>()

  async track<T>(upload: Promise<T>): Promise<T> {
    this.#running.add(upload)
    try {
      return await upload
    } finally {
      this.#running.delete(upload)
    }
  }

  /** Resolves once none is left. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}
