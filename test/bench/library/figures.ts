/** What a part of the benchmark measured, by the key of the bar. */
export type Figures = Record<string, number>

export interface Part {
  /** What `scripts/bench library NAME` calls it. */
  name: string
  /** The keys that it gives. */
  keys: readonly string[]
  run(stage: Stage): Promise<Figures>
}

/** Where the parts work. */
export interface Stage {
  /** A folder on a disk, removed at the end. */
  folder: string
  /** How many items a large library has. */
  items: number
  /** The data folder of a node that published so many items long ago; made when first asked for, one daemon at a time. */
  library(): Promise<string>
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
