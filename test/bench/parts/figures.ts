/** What a part of a benchmark measured, by the key of the bar. */
export type Figures = Record<string, number>

/** A part of a benchmark, and where it works. */
export interface Part<Stage> {
  /** What `scripts/bench BENCH NAME` calls it. */
  name: string
  /** The keys that it gives. */
  keys: readonly string[]
  run(stage: Stage): Promise<Figures>
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? Number.NaN)) / 2
}

/** Prints a figure beside what it is measured against. */
export function tell(what: string, measured: string, reference: string): void {
  console.log(`${what.padEnd(44)} ${measured.padEnd(22)} ${reference}`)
}

export const round = (value: number, digits: number): number => Number(value.toFixed(digits))
