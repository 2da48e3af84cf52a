import { EldernodeError } from '@eldernode/core'

/** What was asked for is not imported, however often one asks. */
export class ImportRefusedError extends EldernodeError {
  constructor(reason: string) {
    super('import_refused', `This is not imported: ${reason}.`)
  }
}

/** A source does not answer, or with something else than the bytes. */
export class ImportFailedError extends EldernodeError {
  /** Whether the same source may do better later. */
  readonly passes: boolean

  constructor(reason: string, { passes = false, ...options }: ErrorOptions & { passes?: boolean } = {}) {
    super('import_failed', `The source gave no bytes to import: ${reason}. Check it, and import again.`, options)
    this.passes = passes
  }
}

/** A source sends, and too slowly or too much of what is wrong. */
export class ImportStalledError extends EldernodeError {
  constructor(reason: string) {
    super('import_stalled', `The import was given up: ${reason}. Import again when its source is better.`)
  }
}

/** A source broke off, and has no rest of what it sent. */
export class ImportChangedError extends EldernodeError {
  constructor() {
    super('import_changed', 'The source broke off, and its server does not send the rest: it begins anew.')
  }
}

/** Nobody was found who has a torrent. */
export class NoSourceFoundError extends EldernodeError {
  constructor(infoHash: string, seconds: number) {
    super(
      'import_no_source',
      `No peer that has ${infoHash} was found in ${seconds} s: give a magnet with x.pe or ws, or see imports.trackers.`,
    )
  }
}

/** As many imports wait as may. */
export class TooManyImportsError extends EldernodeError {
  constructor(most: number) {
    super('too_many_imports', `${most} imports wait already, as many as may: try again when some are done.`)
  }
}

/** There is no import of that id, or it is somebody else's. */
export class ImportNotFoundError extends EldernodeError {
  constructor(id: string) {
    super('import_not_found', `There is no import ${id}: it may have been removed after it was over.`)
  }
}

/** The node ended several times while the import ran, and may have ended of it. */
export class ImportInterruptedError extends EldernodeError {
  constructor(times: number) {
    super(
      'import_interrupted',
      `The node stopped ${times} times while this was imported: import it again if it is safe.`,
    )
  }
}

/** This node does not run yt-dlp for others. */
export class YtDlpUnavailableError extends EldernodeError {
  constructor() {
    super('yt_dlp_unavailable', 'This node does not import through yt-dlp: install it there, and set imports.ytDlp.')
  }
}

/** Somebody called it off. */
export class ImportCancelledError extends EldernodeError {
  constructor() {
    super('import_cancelled', 'The import was cancelled.')
  }
}

/** The node stops; the import goes on when it is back. */
export class ImportSuspendedError extends EldernodeError {
  constructor() {
    super('import_suspended', 'The node stops: the import begins anew when it is back.')
  }
}
