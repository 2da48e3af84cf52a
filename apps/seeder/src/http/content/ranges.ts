import { RangeNotSatisfiableError } from '../errors.ts'
import type { Bytes } from './file-sender.ts'

/** More ranges than this are taken for an attack, or for one range asked for in bits: the whole file is the answer. */
const mostRanges = 64
/** Two parts this near to each other cost more apart than the bytes between them. */
const nearBytes = 128

/**
 * The stretches of a file of `size` bytes that `Range` asks for (RFC 9110, section 14), in the order in which it does;
 * undefined when the whole file is to be sent: for another unit than bytes, for what is no range, and for too many.
 *
 * Threat: overlapping ranges would have the same bytes sent over and over. Those that overlap or nearly touch become one.
 * @throws RangeNotSatisfiableError when all lie outside
 */
export function rangesOf(header: string | undefined, size: number): Bytes[] | undefined {
  const [, list] = /^bytes=(.*)$/i.exec(header ?? '') ?? []
  if (list === undefined || size === 0) return undefined
  // Empty elements of a list are no fault (RFC 9110, section 5.6.1).
  const specs = list.split(',', 2 * mostRanges + 1).flatMap((text) => text.trim() || [])
  if (specs.length === 0 || specs.length > mostRanges) return undefined
  const ranges: Bytes[] = []
  for (const spec of specs) {
    const [, first, last] = /^(\d{0,16})-(\d{0,16})$/.exec(spec) ?? []
    if (first === undefined || last === undefined || first + last === '') return undefined
    if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
    const range = rangeOf(first, last, size)
    if (range.start < range.end) ranges.push(range)
  }
  if (ranges.length === 0) throw new RangeNotSatisfiableError(size)
  return joined(ranges)
}

function rangeOf(first: string, last: string, size: number): Bytes {
  if (first === '') return { start: Math.max(0, size - Number(last)), end: size }
  return { start: Number(first), end: last === '' ? size : Math.min(size, Number(last) + 1) }
}

/** Each group of near ones as one, at the place of the first that was asked for. */
function joined(ranges: readonly Bytes[]): Bytes[] {
  const groups: (Bytes & { place: number })[] = []
  const ordered = ranges.map((range, place) => ({ ...range, place })).toSorted((a, b) => a.start - b.start)
  for (const { start, end, place } of ordered) {
    const group = groups.at(-1)
    if (group === undefined || start > group.end + nearBytes) {
      groups.push({ start, end, place })
      continue
    }
    group.end = Math.max(group.end, end)
    group.place = Math.min(group.place, place)
  }
  return groups.toSorted((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }))
}
