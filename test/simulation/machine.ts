import type { NodeId } from '@eldernode/core'
import type { Mind } from './mind.ts'
import { Store } from './store.ts'

/** `boaster` claims what it does not hold, `proxy` fetches when it is asked, `neighbour` lets another answer. */
export type Character = 'honest' | 'boaster' | 'proxy' | 'neighbour'

export interface Setup {
  id: NodeId
  character: Character
  zone: string
  operator: string
  /** Bytes. */
  capacity: number
}

/** A computer with a disk. What is on the disk outlasts the process, which is its `mind`. */
export class Machine {
  readonly id: NodeId
  readonly character: Character
  zone: string
  readonly operator: string
  readonly capacity: number
  readonly store = new Store()
  /** Copies, and whether their bytes are right. Nobody but the world knows which are not. */
  readonly disk = new Map<string, 'sound' | 'rotten'>()
  used = 0
  lastTs = 0
  draining = false
  /** Milliseconds that its wall clock is ahead of the true time. */
  skew = 0
  /** Machines of the same part reach each other. */
  part = 0
  /** Until then the process is stopped, and what is sent to it waits. */
  frozenUntil = 0
  /** While it runs. */
  mind: Mind | undefined

  constructor({ id, character, zone, operator, capacity }: Setup) {
    this.id = id
    this.character = character
    this.zone = zone
    this.operator = operator
    this.capacity = capacity
  }

  get isHonest(): boolean {
    return this.character === 'honest'
  }

  has(infoHash: string): boolean {
    return this.disk.get(infoHash) === 'sound'
  }
}
