import { roomOf } from './run.ts'
import type { Run } from './run.ts'

/** Memory of runs that waits for one peer to read it. */
const mostBytes = 4 * 1024 * 1024

/**
 * What is on its way to one peer's socket, and the runs it lies in. A peer that asks for one block of each of many runs
 * and reads none would keep all of their memory: past 4 MiB it gets copies of what is less than half a run.
 */
export class Outgoing {
  readonly #release: (run: Run) => void
  readonly #runs = new WeakMap<Uint8Array, Run>()
  /** How many buffers lie in each. */
  readonly #buffers = new Map<Run, number>()

  /** @param release told when a run is needed no more, once for each buffer */
  constructor(release: (run: Run) => void) {
    this.#release = release
  }

  /** @returns what to send: these messages of the run, which is kept until they are `sent`, or a copy of them */
  of(run: Run, messages: Uint8Array): Uint8Array {
    const buffers = this.#buffers.get(run) ?? 0
    const isFew = buffers === 0 && messages.length < run.room / 2
    if (isFew && roomOf(this.#buffers.keys()) + run.room > mostBytes) return Uint8Array.from(messages)
    run.users++
    this.#runs.set(messages, run)
    this.#buffers.set(run, buffers + 1)
    return messages
  }

  sent(bytes: Uint8Array): void {
    const run = this.#runs.get(bytes)
    if (run === undefined) return
    this.#runs.delete(bytes)
    const left = (this.#buffers.get(run) ?? 0) - 1
    if (left > 0) this.#buffers.set(run, left)
    else this.#buffers.delete(run)
    this.#release(run)
  }
}
