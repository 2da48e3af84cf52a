import type { Shards } from '../transport/index.ts'
import type { Desk } from './serving-end.ts'

/** One worker's place among all that are one tracker. */
export interface Place {
  readonly shards: Shards
  readonly workers: number
  /** Four words that all of them make the connection ids of UDP from. */
  readonly secret: Int32Array
  /** Lets the others come in, and resolves to the port when it is time to listen there. */
  join(desk: Desk): Promise<number>
  leave(): Promise<void>
  /** What each worker says of itself by this name. */
  readAll(name: string): Promise<unknown[]>
}
