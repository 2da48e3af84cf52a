import type { IncomingHttpHeaders } from 'node:http'
import { RangeNotSatisfiableError } from './errors.ts'

/** What identifies the bytes: a strong entity tag, quotes included, and their date in milliseconds since 1970. */
export interface Validators {
  etag: string
  modified: number
}

/** The bytes to send: from `start` up to but not including `end`. */
export interface Span {
  start: number
  end: number
  partial: boolean
}

/** Whether the client has these bytes already (RFC 9110, sections 13.1.2 and 13.1.3). */
export function isUnmodified(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const tags = headers['if-none-match']
  if (tags !== undefined) return tags.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
  const since = Date.parse(headers['if-modified-since'] ?? '')
  return seconds(modified) <= seconds(since)
}

/**
 * The span that `Range` and `If-Range` ask for (RFC 9110, section 14). One range only: several, or a unit other than
 * bytes, are answered by the whole file, as the RFC allows.
 * @throws RangeNotSatisfiableError
 */
export function spanOf({ range, 'if-range': condition }: IncomingHttpHeaders, size: number, current: Validators): Span {
  const whole = { start: 0, end: size, partial: false }
  const [, first, last] = /^bytes= *(\d{0,16})-(\d{0,16}) *$/i.exec(range ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return whole
  if (typeof condition === 'string' && !matches(condition, current)) return whole
  if (first === '') return satisfiable(Math.max(0, size - Number(last)), size, size)
  if (last !== '' && Number(last) < Number(first)) return whole
  return satisfiable(Number(first), last === '' ? size : Math.min(size, Number(last) + 1), size)
}

function satisfiable(start: number, end: number, size: number): Span {
  if (start >= size) throw new RangeNotSatisfiableError(size)
  return { start, end, partial: true }
}

/** Strong comparison: a date counts only when it is exactly ours. */
function matches(condition: string, { etag, modified }: Validators): boolean {
  if (condition.startsWith('"')) return condition.trim() === etag
  return seconds(Date.parse(condition)) === seconds(modified)
}

/** HTTP dates have no fractions. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
