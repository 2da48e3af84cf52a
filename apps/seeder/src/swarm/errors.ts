import { EldernodeError } from '@eldernode/core'

/** A download ended without all of its bytes. */
export class FetchFailedError extends EldernodeError {
  constructor(infoHash: string, reason: string, options?: ErrorOptions) {
    super('fetch_failed', `Fetching ${infoHash} failed: ${reason}`, options)
  }
}

/** Peers or a holder gave a .torrent that is malformed, too large, or not what the manifest promised. */
export class BadMetainfoError extends EldernodeError {
  constructor(reason: string) {
    super('bad_metainfo', `The torrent's metadata is refused: ${reason}`)
  }
}

/** The peer port could not be opened. */
export class SwarmStartError extends EldernodeError {
  constructor(port: number, options: ErrorOptions) {
    super('swarm_start_failed', `The peer port ${port} cannot be opened; choose another one as swarm.port`, options)
  }
}

/** The engine was asked for something before it started or after it closed. */
export class SwarmClosedError extends EldernodeError {
  constructor() {
    super('swarm_closed', 'The swarm is not running')
  }
}

/** A file on disk is shorter than the torrent says. */
export class ShortFileError extends EldernodeError {
  constructor(path: string) {
    super('short_file', `${path} ends before the torrent's bytes do; let the item be scrubbed and fetched again`)
  }
}

/** The bytes of a piece on disk are not those that its hash stands for. */
export class BadPieceError extends EldernodeError {
  constructor(infoHash: string, piece: number, options?: ErrorOptions) {
    super(
      'bad_piece',
      `Piece ${piece} of ${infoHash} is damaged on disk; it is not sent until it has been fetched again`,
      options,
    )
  }
}

/** The right bytes of a damaged piece were fetched, and the disk does not take them. */
export class UnwritableError extends EldernodeError {
  constructor(infoHash: string, options?: ErrorOptions) {
    super('unwritable', `What was fetched to mend ${infoHash} cannot be written: check its disk`, options)
  }
}
