import type { IncomingHttpHeaders } from 'node:http'
import { parseHttpDate } from './http-date.ts'

/** What identifies the bytes: a strong entity tag, quotes included, and their date in milliseconds since 1970. */
export interface Validators {
  etag: string
  modified: number
}

/**
 * What the preconditions of a GET or HEAD come to, in the order of RFC 9110, section 13.2.2: `failed` is answered by 412,
 * `unmodified` by 304, and anything else as if there were none.
 */
export function judge(headers: IncomingHttpHeaders, current: Validators): 'failed' | 'unmodified' | 'proceed' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match === undefined ? isLater(headers['if-unmodified-since'], current) : !names(match, current.etag, false)) {
    return 'failed'
  }
  const has =
    noneMatch === undefined ? isNotLater(headers['if-modified-since'], current) : names(noneMatch, current.etag)
  return has ? 'unmodified' : 'proceed'
}

/** Whether `Range` counts: only when `If-Range` is absent, or names these very bytes (RFC 9110, section 13.1.5). */
export function rangeApplies({ 'if-range': condition }: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  if (typeof condition !== 'string') return true
  // Strong comparison: a weak tag never counts, and a date only when it is exactly ours.
  if (/^(?:W\/)?"/.test(condition)) return condition === etag
  return seconds(parseHttpDate(condition)) === seconds(modified)
}

/** Whether a list of entity tags names ours; weak ones count where bytes need not be the very same. */
function names(list: string, etag: string, weak = true): boolean {
  if (list.trim() === '*') return true
  // A tag may contain commas.
  for (const [tag] of list.matchAll(/(?:W\/)?"[^"]*"/g)) if (tag === etag || (weak && tag === `W/${etag}`)) return true
  return false
}

function isLater(date: string | undefined, { modified }: Validators): boolean {
  return date !== undefined && seconds(modified) > seconds(parseHttpDate(date))
}

function isNotLater(date: string | undefined, { modified }: Validators): boolean {
  return date !== undefined && seconds(modified) <= seconds(parseHttpDate(date))
}

/** HTTP dates have no fractions. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
