import { availableParallelism } from 'node:os'
import type { Digest } from '../library/index.ts'
import { createHashWorkers } from './hash-workers.ts'
import type { HashWorkers } from './hash-workers.ts'
import { MemoryBudget } from './memory.ts'
import { readInto } from './reading.ts'

/** Hashing that uploads, transfers and checks share: a few threads and a bounded amount of memory. */
export interface Hashing {
  readonly workers: HashWorkers
  /** For plaintext that is encrypted: what comes of it is hashed by the others meanwhile. */
  readonly sealers: HashWorkers
  readonly budget: MemoryBudget
  readonly digest: Digest
  close(): Promise<void>
}

export interface HashingOptions {
  threads?: number
  memoryBytes?: number
  /** The worker's program. */
  program?: URL
}

export function createHashing({
  threads = Math.min(2, Math.max(1, availableParallelism() - 1)),
  memoryBytes = 32 * 1024 * 1024,
  program,
}: HashingOptions = {}): Hashing {
  const options = { count: threads, ...(program && { program }) }
  const [workers, sealers] = [createHashWorkers(options), createHashWorkers(options)]
  const budget = new MemoryBudget(memoryBytes)
  return {
    workers,
    sealers,
    budget,
    digest: async (path, signal) => {
      const job = workers.open({ describe: true })
      try {
        const size = await readInto(job, path, budget, signal)
        job.endFile(path)
        const [file] = (await job.finish()).files
        if (file === undefined) throw new Error('a hash job of one file gave no result')
        return { sha256: file.sha256, size }
      } finally {
        job.drop()
      }
    },
    close: async () => {
      await Promise.all([workers.close(), sealers.close()])
    },
  }
}
