import { join } from 'node:path'
import { LockedError, takeLock } from '@eldernode/member/lock'
import { DataFolderLockedError } from './errors.ts'

/**
 * Takes the data folder for this process alone until the returned function is called.
 * @throws DataFolderLockedError when another process, or another library of this one, has it
 */
export function lockFolder(folder: string): () => void {
  try {
    return takeLock(join(folder, 'lock'))
  } catch (error) {
    if (error instanceof LockedError) throw new DataFolderLockedError(folder, { cause: error })
    throw error
  }
}
