import { EldernodeError } from '@eldernode/core'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NotPublisherError } from './errors.ts'

export const problemType = 'application/problem+json'

/** An error answer (RFC 9457). `code` is stable; `detail` is for people. */
export const problemSchema = z
  .object({
    type: z.string().describe('Always about:blank; `code` tells problems apart.'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable name of the problem.'),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    publisher: z.string().optional(),
    endpoint: z.string().optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.output<typeof problemSchema>

/** Each code that may leave this node, and its status. A code that is not here is a fault of ours: 500 `internal`. */
const statuses: Record<string, number> = {
  invalid_input: 400,
  invalid_json: 400,
  invalid_url: 400,
  malformed_multipart: 400,
  malformed_request: 400,
  no_file: 400,
  path_required: 400,
  upload_aborted: 400,
  unsupported_upload: 400,
  upload_malformed: 400,
  upload_checksum_unsupported: 400,
  unauthorized: 401,
  unsigned_request: 401,
  insufficient_scope: 403,
  item_quota_exceeded: 403,
  item_denied: 403,
  not_auditor: 403,
  not_your_item: 403,
  media_hidden: 403,
  upload_header_missing: 403,
  registration_refused: 403,
  import_not_found: 404,
  map_node_not_found: 404,
  not_held: 404,
  media_not_found: 404,
  denial_not_found: 404,
  file_not_found: 404,
  route_not_found: 404,
  token_not_found: 404,
  webhook_not_found: 404,
  upload_not_found: 404,
  grant_not_found: 404,
  upload_stalled: 408,
  upload_too_slow: 408,
  request_timeout: 408,
  idempotency_key_in_use: 409,
  maps_off: 409,
  item_taken: 409,
  not_member: 409,
  too_many_tokens: 409,
  too_many_webhooks: 409,
  not_owner: 409,
  not_publisher: 409,
  upload_offset_mismatch: 409,
  not_encrypted: 409,
  no_identity: 409,
  seal_broken: 409,
  wrong_identity: 409,
  not_published_here: 409,
  item_gone: 410,
  media_retracted: 410,
  taken_down: 410,
  upload_expired: 410,
  upload_bytes_lost: 410,
  precondition_failed: 412,
  tus_version_missing: 412,
  body_too_large: 413,
  item_too_large: 413,
  too_many_parts: 413,
  url_too_long: 414,
  not_multipart: 415,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  wrong_holder: 421,
  bad_metainfo: 422,
  import_refused: 422,
  yt_dlp_unavailable: 422,
  empty_file: 422,
  empty_item: 422,
  url_not_published: 422,
  encryption_required: 422,
  digest_mismatch: 422,
  type_mismatch: 422,
  idempotency_key_reused: 422,
  too_many_readers: 422,
  description_too_long: 422,
  too_many_imports: 429,
  daily_quota_exceeded: 429,
  rate_limited: 429,
  too_many_failures: 429,
  too_many_requests: 429,
  too_many_uploads: 429,
  headers_too_large: 431,
  internal: 500,
  content_mismatch: 502,
  fetch_failed: 502,
  holder_failed: 502,
  no_file_list: 502,
  spoiled: 502,
  tus_extension_unsupported: 501,
  audits_busy: 503,
  busy: 503,
  upload_held: 503,
  cancelled: 503,
  no_room: 503,
  no_source: 503,
  reads_busy: 503,
  verifications_busy: 503,
  too_many_listeners: 503,
  media_being_checked: 503,
  media_being_mended: 503,
  media_paused: 503,
  clock_behind: 503,
  disk_unwritable: 503,
  graph_closed: 503,
  not_ready: 503,
  storage_suspended: 503,
  swarm_closed: 503,
  stalled: 504,
  disk_full: 507,
  storage_full: 507,
  storage_quota_exceeded: 507,
}

/** What Fastify and its plugins throw, in our words. */
const foreign: Record<string, [code: string, detail: string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'This route does not take a body of that Content-Type.'],
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: ['unsupported_media_type', 'A body of that method needs a Content-Type.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than this route takes.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_request', 'The body is not as long as its Content-Length says.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty; this route needs JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body is not JSON.'],
  FST_ERR_BAD_URL: ['invalid_url', 'The path is not valid percent-encoded UTF-8.'],
  FST_ERR_MAX_PARAM_LENGTH: ['url_too_long', 'A part of the path is too long.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: ['not_multipart', 'Send multipart/form-data, or the plain bytes with PUT.'],
  FST_PARTS_LIMIT: ['too_many_parts', 'The form has more parts than an item may have files.'],
  FST_FILES_LIMIT: ['too_many_parts', 'The form has more files than an item may have.'],
  FST_FIELDS_LIMIT: ['too_many_parts', 'The form has too many fields.'],
  FST_REQ_FILE_TOO_LARGE: ['item_too_large', 'The upload is larger than this node takes (http.maxUploadBytes).'],
  FST_PROTO_VIOLATION: ['malformed_multipart', 'A field of the form has a name that is not allowed.'],
  FST_INVALID_JSON_FIELD_ERROR: ['malformed_multipart', 'A field of the form is not the JSON that it says it is.'],
  FST_MP_PREMATURE_CLOSE: ['upload_aborted', 'The connection ended before the whole body had arrived.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
}

/** Parts of a request, as Fastify names them. */
const parts: Record<string, string> = {
  body: 'The body is',
  headers: 'The headers are',
  params: 'The parameters in the path are',
  querystring: 'The query is',
}

/** The one translation from what was thrown to what is answered. Nothing unforeseen leaks into the answer. */
export function problemOf(error: unknown): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: instancePath.slice(1).replaceAll('/', '.'),
      message: message ?? 'is not valid',
    }))
    const where = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
    const what = (error.validationContext && parts[error.validationContext]) ?? 'The request is'
    return { ...problem('invalid_input', `${what} not valid: ${where}`), errors }
  }
  const code = codeOf(error)
  if (error instanceof EldernodeError && code in statuses) return { ...problem(code, error.message), ...extra(error) }
  const known = foreign[code]
  if (known !== undefined) return problem(...known)
  return problem('internal', 'The node failed at this request; its log says why.')
}

function problem(code: string, detail: string): Problem {
  const status = statuses[code] ?? 500
  return { type: 'about:blank', title: code.replaceAll('_', ' '), status, code, detail }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function extra(error: EldernodeError): Partial<Problem> {
  if (!(error instanceof NotPublisherError)) return {}
  const { publisher, endpoint } = error
  return { publisher, ...(endpoint !== undefined && { endpoint }) }
}

/** Error answers for a route's documentation. */
export function problems<Status extends number>(...list: Status[]) {
  const answer = { description: 'Problem', content: { [problemType]: { schema: problemSchema } } }
  return Object.fromEntries(list.map((status) => [status, answer])) as Record<Status, typeof answer>
}
