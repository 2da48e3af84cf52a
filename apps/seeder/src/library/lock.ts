import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { DataFolderLockedError } from './errors.ts'

const sqliteBusy = 5

/**
 * Takes the data folder for this process alone until the returned function is called. SQLite holds an operating system
 * lock on `<folder>/lock`, which ends with the process, so that a crash leaves nothing to clean up.
 * @throws DataFolderLockedError when another process, or another library of this one, has it
 */
export function lockFolder(folder: string): () => void {
  const db = new DatabaseSync(join(folder, 'lock'))
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy)
      throw new DataFolderLockedError(folder, { cause: error })
    throw error
  }
  return () => {
    if (db.isOpen) db.close()
  }
}
