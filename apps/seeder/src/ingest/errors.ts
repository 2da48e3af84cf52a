import { EldernodeError } from '@eldernode/core'

/** A file without a byte cannot be served by a web seed range nor asked for by clients, so it is refused. */
export class EmptyFileError extends EldernodeError {
  constructor(path: string) {
    super('empty_file', `The file "${path}" is empty: send at least one byte, or leave the file out.`)
  }
}

/** An upload without a file. */
export class EmptyItemError extends EldernodeError {
  constructor() {
    super('empty_item', 'The upload has no file: send at least one.')
  }
}

/** What arrived is not what its sender says it sent. */
export class DigestMismatchError extends EldernodeError {
  constructor(expected: string, found: string) {
    super(
      'digest_mismatch',
      `The SHA-256 of what arrived is ${found}, not ${expected} as was said: send it again, or correct the digest.`,
    )
  }
}

/** More bytes than the configured limit. */
export class ItemTooLargeError extends EldernodeError {
  constructor(limit: number) {
    super('item_too_large', `The upload is larger than ${limit} bytes: send less, or raise the limit of this node.`)
  }
}

/** What lies in staging is not what the torrent's hashes stand for. */
export class ForeignBytesError extends EldernodeError {
  constructor(infoHash: string) {
    super(
      'foreign_bytes',
      `The bytes on disk are not those of torrent ${infoHash}: check the disk, and import it again.`,
    )
  }
}

/** A hash worker ended with work unfinished. Uploads through it fail, the process lives on. */
export class HashingFailedError extends EldernodeError {
  constructor(options?: ErrorOptions) {
    super('hashing_failed', 'A hash worker ended before its work was done: send the upload again.', options)
  }
}

/** The first bytes of a file speak against the media type it is declared as. */
export class TypeMismatchError extends EldernodeError {
  constructor(path: string, declared: string, found: string) {
    super(
      'type_mismatch',
      `The file "${path}" is declared as ${declared}, but its bytes are ${found}: leave the type out, or correct it.`,
    )
  }
}
