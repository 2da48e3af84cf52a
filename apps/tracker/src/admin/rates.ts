/** Readings of counters in the last minute, one each 10 seconds. */
const kept = 7

/** How fast counters rise, from readings that somebody takes now and then. */
export class Rates {
  readonly #readings: { at: number; counts: Record<string, number> }[] = []

  /** @param at milliseconds */
  note(at: number, counts: Readonly<Record<string, number>>): void {
    this.#readings.push({ at, counts: { ...counts } })
    if (this.#readings.length > kept) this.#readings.shift()
  }

  /** Each counter's rise a second since the oldest reading. */
  since(at: number, counts: Readonly<Record<string, number>>): Record<string, number> {
    const oldest = this.#readings[0]
    if (oldest === undefined || at <= oldest.at) return {}
    const seconds = (at - oldest.at) / 1000
    return Object.fromEntries(
      Object.entries(counts).map(([name, value]) => [
        name,
        Math.round(((value - (oldest.counts[name] ?? 0)) / seconds) * 100) / 100,
      ]),
    )
  }
}
