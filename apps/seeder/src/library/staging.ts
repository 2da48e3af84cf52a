import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskUnwritableError } from '@eldernode/core'
import type { Staging } from './storage-port.ts'

/** Makes a fresh folder in `incoming`. */
export async function createStaging(incoming: string): Promise<Staging> {
  const folder = join(incoming, randomBytes(12).toString('hex'))
  await mkdir(folder, { mode: 0o750 })
  return {
    folder,
    filePath: (index) => {
      if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`no staged file has number ${index}`)
      return join(folder, String(index))
    },
    discard: async () => {
      try {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      } catch (error) {
        throw DiskUnwritableError.of(error, incoming)
      }
    },
  }
}

/** Of a small item, whose files need no folder. */
export function heldInMemory(incoming: string, bytes: readonly Uint8Array[]): Staging {
  return {
    folder: incoming,
    bytes,
    filePath: () => {
      throw new RangeError('the files of a small item lie in memory until they are committed')
    },
    discard: () => Promise.resolve(),
  }
}
