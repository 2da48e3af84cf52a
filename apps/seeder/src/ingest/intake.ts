import type { HashJob } from './hashing.ts'
import { Slots } from './memory.ts'
import type { MemoryBudget, Slot } from './memory.ts'
import { StagedFile } from './staged-file.ts'

/** Up to here an upload may be a small one and gets little memory. */
const littleUntil = 1024 * 1024

/** The one pass: each byte is copied once into shared memory, hashed and written from there. */
export class Intake {
  readonly #job: HashJob
  readonly #slots: Slots
  readonly #expectLittle: boolean
  #file: StagedFile | undefined
  #slot: Slot | undefined
  #filled = 0
  #failure: { error: unknown } | undefined
  /** Bytes taken so far. */
  size = 0

  constructor(job: HashJob, budget: MemoryBudget, expectedSize: number | undefined) {
    this.#job = job
    this.#slots = new Slots(budget)
    this.#expectLittle = expectedSize === undefined || expectedSize < littleUntil
  }

  async begin(path: string): Promise<void> {
    this.#file = await StagedFile.create(path, (error) => (this.#failure ??= { error }))
  }

  /** Takes bytes of the file begun; `chunk` may be reused once this resolves. */
  async take(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length;) {
      if (this.#slot === undefined) {
        this.#slot = await this.#slots.take(this.#expectLittle && this.size < littleUntil)
        if (this.#failure !== undefined) throw this.#failure.error
      }
      const length = Math.min(chunk.length - from, this.#slot.bytes.length - this.#filled)
      this.#slot.bytes.set(chunk.subarray(from, from + length), this.#filled)
      this.#filled += length
      this.size += length
      from += length
      if (this.#filled === this.#slot.bytes.length) this.#flush()
    }
  }

  /** Ends the file: when this resolves it is written whole. */
  async end(name: string): Promise<void> {
    this.#flush()
    this.#job.endFile(name)
    await this.close()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Waits for writes under way and closes the file; safe to call twice. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (this.#slot !== undefined) this.#slots.give(this.#slot)
    this.#slot = undefined
    await file?.close()
  }

  #flush(): void {
    const [slot, length] = [this.#slot, this.#filled]
    if (slot === undefined) return
    this.#slot = undefined
    this.#filled = 0
    let uses = 2
    const used = () => {
      if (--uses === 0) this.#slots.give(slot)
    }
    this.#file?.append(slot.bytes.subarray(0, length), used)
    this.#job.update(slot.memory, length, used)
  }
}
