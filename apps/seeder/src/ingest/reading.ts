import { open } from 'node:fs/promises'
import type { HashJob } from './hash-workers.ts'
import { Slots } from './memory.ts'
import type { MemoryBudget } from './memory.ts'

/** Hashes a file from disk. @returns its size in bytes */
export async function readInto(
  job: HashJob,
  path: string,
  budget: MemoryBudget,
  signal?: AbortSignal,
): Promise<number> {
  const slots = new Slots(budget, 4)
  const handle = await open(path, 'r')
  try {
    for (let size = 0; ;) {
      signal?.throwIfAborted()
      const slot = await slots.take(false)
      const { bytesRead } = await handle.read(slot.bytes, 0, slot.bytes.length, size)
      if (bytesRead === 0) {
        slots.give(slot)
        return size
      }
      size += bytesRead
      job.update(slot.memory, bytesRead, () => slots.give(slot))
    }
  } finally {
    await handle.close()
  }
}
