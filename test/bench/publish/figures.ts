/** What a part of the benchmark measured, by the key of the bar. */
export type Figures = Record<string, number>

export interface Part {
  /** What `scripts/bench publish NAME` calls it. */
  name: string
  /** The keys that it gives. */
  keys: readonly string[]
  run(stage: Stage): Promise<Figures>
}

/** Where the parts work. */
export interface Stage {
  /** A folder on a disk, removed at the end. Each part makes one of its own in it, and removes it. */
  folder: string
  /** How often a ratio is measured, the warm-up excepted; its median counts. */
  rounds: number
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
