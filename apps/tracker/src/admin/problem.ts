import { EldernodeError } from '@eldernode/core'

/** An error answer (RFC 9457). `code` is stable; `detail` is for people. */
export interface Problem {
  type: 'about:blank'
  title: string
  status: number
  code: string
  detail: string
}

export const problemType = 'application/problem+json'

/** Each code that may leave this tracker, and its status. A code that is not here is a fault of ours: 500 `internal`. */
const statuses: Readonly<Record<string, number>> = {
  invalid_input: 400,
  invalid_json: 400,
  upload_aborted: 400,
  unauthorized: 401,
  key_not_found: 404,
  route_not_found: 404,
  ledger_full: 409,
  no_ledger: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  busy: 503,
  ledger_away: 503,
  ledger_file: 503,
}

/** The one translation from what was thrown to what is answered. Nothing unforeseen leaks into the answer. */
export const problemOf = (error: unknown): Problem => {
  const status = error instanceof EldernodeError ? statuses[error.code] : undefined
  const [code, detail] =
    error instanceof EldernodeError && status !== undefined
      ? [error.code, error.message]
      : ['internal', 'The tracker failed at this request; its log says why.']
  return { type: 'about:blank', title: code.replaceAll('_', ' '), status: status ?? 500, code, detail }
}
