import { EldernodeError } from '@eldernode/core'

/** No upload of that id is under way here. */
export class UploadNotFoundError extends EldernodeError {
  constructor(id: string) {
    super('upload_not_found', `There is no upload ${id} here: it ended, expired, or never was. Begin a new one.`)
  }
}

/** More uploads are under way than the node allows, or allows one owner. */
export class TooManyUploadsError extends EldernodeError {
  constructor(limit: number, whose: 'one owner' | 'all owners' | 'the operator') {
    super(
      'too_many_uploads',
      `${limit} uploads are under way, as many as this node keeps of ${whose} (uploads.most): finish or end some first.`,
    )
  }
}

/** The upload had all its bytes, and then could not become an item; no second try would change that. */
export class UploadFailedError extends EldernodeError {}
