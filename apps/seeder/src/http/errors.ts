import { EldernodeError } from '@eldernode/core'

/** This node holds no item of that id. */
export class MediaNotFoundError extends EldernodeError {
  constructor(id: string) {
    super(
      'media_not_found',
      `No item ${id} is held here or can be fetched: nobody published it, or this node refused it (policy.*). Check the id, or ask another node.`,
    )
  }
}

/** Bytes of the item are in doubt here, or lost. */
export class MediaUnsoundError extends EldernodeError {
  constructor(id: string, condition: 'suspect' | 'patchy' | 'damaged') {
    if (condition === 'suspect')
      super(
        'media_being_checked',
        `The files of item ${id} may have changed here and are hashed again: try again soon.`,
      )
    else
      super(
        'media_being_mended',
        `Bytes of item ${id} were lost here and are fetched again: ask another node, or wait.`,
      )
  }
}

/** The item is private, and the token is not that of its owner or of a reader. */
export class MediaHiddenError extends EldernodeError {
  constructor(id: string) {
    super('media_hidden', `Item ${id} is private, and this token may not read it.`)
  }
}

/** What was to be fetched from elsewhere could not be. */
export class UrlNotPublishedError extends EldernodeError {
  constructor(reason: string) {
    super('url_not_published', `The URL could not be published: ${reason}`)
  }
}

/** The item was taken down. */
export class MediaRetractedError extends EldernodeError {
  constructor(id: string) {
    super('media_retracted', `Item ${id} was retracted by its publisher and is not served any more.`)
  }
}

/** The operator wants no traffic of the item for now. */
export class MediaPausedError extends EldernodeError {
  constructor(id: string) {
    super('media_paused', `Item ${id} is paused here: ask another node, or try again later.`)
  }
}

/** The item has no file of that path. */
export class FileNotFoundError extends EldernodeError {
  constructor(id: string, path: string) {
    super('file_not_found', `Item ${id} has no file "${path}": see /v1/media/${id}/files.`)
  }
}

/** The item has several files and the request does not say which one. */
export class PathRequiredError extends EldernodeError {
  constructor(id: string) {
    super('path_required', `Item ${id} has several files: add the path of one, as listed at /v1/media/${id}/files.`)
  }
}

/** What the request is to happen under only, by `If-Match` or `If-Unmodified-Since`, is not so. */
export class PreconditionFailedError extends EldernodeError {
  constructor() {
    super('precondition_failed', 'The file is not the one that If-Match or If-Unmodified-Since name: ask without them.')
  }
}

/** The asked range lies outside of the file. */
export class RangeNotSatisfiableError extends EldernodeError {
  readonly size: number

  constructor(size: number) {
    super('range_not_satisfiable', `The file has ${size} bytes and the requested range lies outside of them.`)
    this.size = size
  }
}

/** The upload is, or says it is, larger than this node takes. */
export class UploadTooLargeError extends EldernodeError {
  constructor(limit: number) {
    super('item_too_large', `The upload is larger than ${limit} bytes, the limit of this node (http.maxUploadBytes).`)
  }
}

/** A private item whose publisher asked for no encryption. */
export class EncryptionRequiredError extends EldernodeError {
  constructor() {
    super('encryption_required', 'A private item is always encrypted: leave encrypt out, or publish it as unlisted.')
  }
}

const tusCodes: Readonly<Record<number, string>> = {
  403: 'upload_header_missing',
  404: 'upload_not_found',
  409: 'upload_offset_mismatch',
  410: 'upload_expired',
  412: 'tus_version_missing',
  413: 'item_too_large',
  500: 'internal',
  501: 'tus_extension_unsupported',
}

/** Another request writes to the upload and does not let go. */
export class UploadHeldError extends EldernodeError {
  constructor() {
    super('upload_held', 'Another request is writing to this upload: try again soon.')
  }
}

/** What the tus server refuses, in its words. */
export class TusRefusalError extends EldernodeError {
  constructor(status: number, text: string) {
    super(tusCodes[status] ?? 'upload_malformed', `The upload was refused: ${text.trim()}.`)
  }
}

/** A request with the same key is being done. */
export class IdempotencyKeyInUseError extends EldernodeError {
  constructor() {
    super(
      'idempotency_key_in_use',
      'A request with this Idempotency-Key is being done: wait, and send it again to get its answer.',
    )
  }
}

/** The key was that of another request. */
export class IdempotencyKeyReusedError extends EldernodeError {
  constructor() {
    super(
      'idempotency_key_reused',
      'This Idempotency-Key belongs to another request that was done: use a new one for each.',
    )
  }
}

/** The client sent nothing for too long. */
export class UploadStalledError extends EldernodeError {
  constructor(ms: number) {
    super('upload_stalled', `Nothing arrived for ${ms / 1000} s, so the upload was dropped: send it again.`)
  }
}

/** The client keeps the connection busy with next to nothing. */
export class UploadTooSlowError extends EldernodeError {
  constructor(bytes: number, ms: number) {
    super(
      'upload_too_slow',
      `Less than ${bytes} bytes arrived in ${ms / 1000} s, so the upload was dropped: send it over a faster line.`,
    )
  }
}

/** A checksum of a single request, which this node does not check. */
export class UploadChecksumError extends EldernodeError {
  constructor() {
    super(
      'upload_checksum_unsupported',
      'Upload-Checksum is not checked here: leave it out, and put sha256 of the whole file into Upload-Metadata.',
    )
  }
}

/** The connection ended before the upload did. */
export class UploadAbortedError extends EldernodeError {
  constructor(options?: ErrorOptions) {
    super('upload_aborted', 'The connection ended before the whole body had arrived: send it again.', options)
  }
}

/** The body is not the multipart form that its headers promise. */
export class MalformedMultipartError extends EldernodeError {
  constructor(detail: string, options?: ErrorOptions) {
    super('malformed_multipart', `The body is not a complete multipart/form-data form: ${detail}.`, options)
  }
}

/** The form has no file. */
export class NoFileError extends EldernodeError {
  constructor() {
    super('no_file', 'The form has no file: send at least one part with a file name.')
  }
}

/** The request asks for something of HTTP that uploads do not have. */
export class UnsupportedUploadError extends EldernodeError {
  constructor(header: string) {
    super('unsupported_upload', `Uploads do not take the header ${header}: send the plain bytes in one request.`)
  }
}

/** Only the node that published an item may retract it. */
export class NotPublisherError extends EldernodeError {
  readonly publisher: string
  readonly endpoint: string | undefined

  constructor(id: string, publisher: string, endpoint: string | undefined) {
    super(
      'not_publisher',
      `Item ${id} was published by ${publisher}: retract it ${endpoint === undefined ? 'there' : `at ${endpoint}`}, or add ?local=1 to drop this copy only.`,
    )
    this.publisher = publisher
    this.endpoint = endpoint
  }
}

/** Only the node that has the network's owner key admits members. */
export class NotOwnerError extends EldernodeError {
  constructor(owner: string) {
    super('not_owner', `This node does not have the owner key ${owner}: ask the node that made the network.`)
  }
}

/** The operator has this node keep no public maps. */
export class MapsOffError extends EldernodeError {
  constructor() {
    super('maps_off', 'This node keeps no public maps (digm.maps).')
  }
}

/** Nothing is known of a node of a public map. */
export class MapNodeNotFoundError extends EldernodeError {
  constructor(soul: string) {
    super('map_node_not_found', `Nothing is known here of ${soul}.`)
  }
}

/** Lifting what is not denied. */
export class DenialNotFoundError extends EldernodeError {
  constructor(infoHash: string) {
    super('denial_not_found', `Item ${infoHash} is not denied.`)
  }
}

/** A part of the node that the request needs is not up, or the node stops. */
export class NotReadyError extends EldernodeError {
  constructor(reasons: readonly string[]) {
    super('not_ready', `This node cannot do that yet: ${reasons.join('; ')}. Try again shortly; see /ready.`)
  }
}

/** No route of that method and path. */
export class RouteNotFoundError extends EldernodeError {
  constructor(method: string, path: string) {
    super('route_not_found', `There is no ${method} ${path}: see /openapi.json.`)
  }
}

/** As many files are being sent as this node sends at once. */
export class BusyError extends EldernodeError {
  constructor() {
    super('busy', 'This node is sending as many files as it can: try again soon, or get them by the magnet.')
  }
}

/** As many items are verified as may be at a time. */
export class VerificationsBusyError extends EldernodeError {
  constructor(most: number) {
    super('verifications_busy', `${most} items are being verified already: try again when one is done.`)
  }
}

/** The item's publisher has not made that recipient a reader, or has removed it. */
export class GrantNotFoundError extends EldernodeError {
  constructor(id: string) {
    super('grant_not_found', `There is no grant of item ${id} for that reader: ask its owner to add the reader.`)
  }
}

/** What came over the connection is not HTTP. */
export class MalformedRequestError extends EldernodeError {
  constructor(options?: ErrorOptions) {
    super('malformed_request', 'What arrived is not an HTTP request, or longer than its Content-Length says.', options)
  }
}

/** The HTTP port cannot be had. */
export class ListenError extends EldernodeError {
  constructor(host: string, port: number, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause)
    super('listen_failed', `Cannot listen on ${host} port ${port} (${reason}): set http.host and http.port.`, options)
  }
}
