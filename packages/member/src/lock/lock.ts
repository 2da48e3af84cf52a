import { DatabaseSync } from 'node:sqlite'
import { LockedError } from './errors.ts'

const sqliteBusy = 5

/**
 * Takes what a lock file stands for, for this process alone, until the returned function is called. SQLite holds an
 * operating system lock on the file, which ends with the process, so that a crash leaves nothing to clean up.
 * @throws LockedError when another process, or another owner in this one, has it
 */
export function takeLock(path: string): () => void {
  const db = new DatabaseSync(path)
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy)
      throw new LockedError(path, { cause: error })
    throw error
  }
  return () => {
    if (db.isOpen) db.close()
  }
}
