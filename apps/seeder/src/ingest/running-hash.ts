import { pieceLengthOf } from '@eldernode/core'
import type { HashJob, HashWorkers } from './hash-workers.ts'
import { type MemoryBudget, Slots } from './memory.ts'

/** What a file's bytes are, by themselves. */
export interface HashedFile {
  /** SHA-1 of each piece of an item that is this file alone. */
  pieces: Uint8Array
  pieceLength: number
  sha256: string
  type: string
}

/** Hashes one file of known size while it arrives, in however many parts. */
export class RunningHash {
  readonly size: number
  readonly #job: HashJob
  readonly #slots: Slots
  #position = 0

  constructor(size: number, { workers, budget }: { workers: HashWorkers; budget: MemoryBudget }) {
    this.size = size
    this.#job = workers.open({ pieceLength: pieceLengthOf(size), describe: true })
    this.#slots = new Slots(budget, 2)
  }

  /** Bytes that were hashed, from the beginning on. */
  get position(): number {
    return this.#position
  }

  /** The bytes may be changed once it resolves. @throws HashingFailedError */
  async update(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const slot = await this.#slots.take(false)
      const length = Math.min(slot.bytes.length, bytes.length - from)
      slot.bytes.set(bytes.subarray(from, from + length))
      from += length
      this.#job.update(slot.memory, length, () => this.#slots.give(slot))
    }
    this.#position += bytes.length
  }

  /** @throws HashingFailedError */
  async finish(path: string): Promise<HashedFile> {
    this.#job.endFile(path)
    const { pieces, files } = await this.#job.finish()
    const [file] = files
    if (file === undefined) throw new Error('a hash job of one file gave no result')
    return { pieces, pieceLength: pieceLengthOf(this.size), ...file }
  }

  /** Ends it without a result. Safe to call twice, and after `finish`. */
  drop(): void {
    this.#job.drop()
  }
}
