import type { Part as AnyPart } from '../parts/figures.ts'

export { type Figures, median, round, tell } from '../parts/figures.ts'

export type Part = AnyPart<Stage>

/** Where the parts work. */
export interface Stage {
  /** A folder on a disk, removed at the end. Each part makes one of its own in it, and removes it. */
  folder: string
  /** How often a ratio is measured, the warm-up excepted; its median counts. */
  rounds: number
}
