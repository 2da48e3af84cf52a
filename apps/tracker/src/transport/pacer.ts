/** Runs so many in a slice of time at most; the others wait in line, so that a crowd at the door stops nobody inside. */
const perSlice = 20
const sliceMs = 10
const longestLine = 20_000

export class Pacer {
  readonly #line: { work: () => void; cancel: () => void }[] = []
  #next = 0
  #left = perSlice
  #timer: NodeJS.Timeout | undefined

  /** Runs `work` now or soon, or `cancel` if this is stopped before. @returns false when the line is too long */
  run(work: () => void, cancel: () => void): boolean {
    if (this.#line.length - this.#next >= longestLine) return false
    this.#timer ??= setInterval(() => this.#slice(), sliceMs)
    if (this.#left > 0 && this.#next === this.#line.length) {
      this.#left--
      work()
    } else this.#line.push({ work, cancel })
    return true
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const { cancel } of this.#line.slice(this.#next)) cancel()
    this.#line.length = 0
    this.#next = 0
  }

  #slice(): void {
    this.#left = perSlice
    while (this.#left > 0 && this.#next < this.#line.length) {
      this.#left--
      this.#line[this.#next++]?.work()
    }
    if (this.#next < this.#line.length) return
    const isIdle = this.#left === perSlice
    this.#line.length = 0
    this.#next = 0
    if (!isIdle) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
