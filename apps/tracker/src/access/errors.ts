import { EldernodeError } from '@eldernode/core'

/** A file of infohashes that cannot be read, or that holds something else. */
export class HashFileError extends EldernodeError {
  constructor(setting: string, path: string, problem: string, cause?: unknown) {
    super('hash_file', `${setting} names ${path}, which cannot be used: ${problem}`, { cause })
  }
}
