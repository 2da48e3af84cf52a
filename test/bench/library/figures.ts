import type { Part as AnyPart } from '../parts/figures.ts'

export { type Figures, median, round, tell } from '../parts/figures.ts'

export type Part = AnyPart<Stage>

/** Where the parts work. */
export interface Stage {
  /** A folder on a disk, removed at the end. */
  folder: string
  /** How many items a large library has. */
  items: number
  /** The data folder of a node that published so many items long ago; made when first asked for, one daemon at a time. */
  library(): Promise<string>
}
