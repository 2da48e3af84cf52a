import { constants } from 'node:fs'
import { copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs } from './blobs.ts'
import type { Item } from './item-port.ts'
import type { Staging } from './storage-port.ts'

/**
 * Copies what is left of an item's files into staging, where the pieces that are right need not be fetched again: sound
 * files, and of those found wrong what lies in quarantine. Copies, for what is fetched is written into them.
 * @returns how many files there were; none of their bytes may be taken for right
 */
export async function salvage(item: Item, staging: Staging, blobs: Blobs, quarantine: string): Promise<number> {
  let found = 0
  for (const [n, { sha256, size }] of item.files.entries()) {
    for (const path of [blobs.path(sha256), join(quarantine, sha256)]) {
      const stats = await stat(path).catch(() => undefined)
      if (size === 0 || stats?.size !== size || !stats.isFile()) continue
      if (!(await copied(path, staging.filePath(n)))) continue
      found++
      break
    }
  }
  return found
}

/** A file that cannot be read to its end, from a disk that fails, is fetched whole. */
async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    return true
  } catch {
    await rm(to, { force: true })
    return false
  }
}
