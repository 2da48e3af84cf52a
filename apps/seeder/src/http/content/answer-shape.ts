import { randomBytes } from 'node:crypto'
import type { ItemFile } from '@eldernode/core'
import type { Part } from './file-sender.ts'
import { rangesOf } from './ranges.ts'

/** What an answer with bytes of a file consists of. */
export interface AnswerShape {
  status: 200 | 206
  headers: Record<string, string | number>
  parts: Part[]
  /** Ends an answer of several parts. */
  tail?: string
}

/**
 * The whole file, or what `range` asks of it: one stretch as it is, several as `multipart/byteranges` (RFC 9110, section
 * 14.6). @throws RangeNotSatisfiableError
 */
export function shapeOf({ size, type }: ItemFile, range: string | undefined): AnswerShape {
  const ranges = rangesOf(range, size)
  const [first, ...others] = ranges ?? [{ start: 0, end: size }]
  if (first === undefined || others.length > 0) return severalOf(ranges ?? [], size, type)
  const whole = { 'content-type': type, 'content-length': first.end - first.start }
  if (ranges === undefined) return { status: 200, headers: whole, parts: [first] }
  return { status: 206, headers: { ...whole, 'content-range': contentRange(first, size) }, parts: [first] }
}

function severalOf(ranges: readonly Part[], size: number, type: string): AnswerShape {
  // Bytes that somebody published must not be able to end a part.
  const boundary = randomBytes(18).toString('hex')
  const parts = ranges.map(({ start, end }, n) => {
    const range = contentRange({ start, end }, size)
    const head = `${n === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${range}\r\n\r\n`
    return { start, end, head }
  })
  const tail = `\r\n--${boundary}--\r\n`
  const length = parts.reduce((sum, { start, end, head }) => sum + head.length + end - start, tail.length)
  return {
    status: 206,
    headers: { 'content-type': `multipart/byteranges; boundary=${boundary}`, 'content-length': length },
    parts,
    tail,
  }
}

function contentRange({ start, end }: Part, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}
