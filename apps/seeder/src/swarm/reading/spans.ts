/** Where a file lies in its torrent, in bytes. */
export interface Extent {
  offset: number
  size: number
}

/** A part of a range that lies in one file. */
export interface Span {
  file: number
  /** Bytes from the start of the file. */
  position: number
  /** Bytes from the start of the range. */
  at: number
  length: number
}

/** Cuts the bytes `offset` to `offset + length` of a torrent at its files' borders; empty files get no span. */
export function spans(files: readonly Extent[], offset: number, length: number): Span[] {
  const found: Span[] = []
  const end = offset + length
  for (let index = firstEndingAfter(files, offset); index < files.length; index++) {
    const file = files[index]
    if (file === undefined || file.offset >= end) break
    const from = Math.max(offset, file.offset)
    const to = Math.min(end, file.offset + file.size)
    if (to > from) found.push({ file: index, position: from - file.offset, at: from - offset, length: to - from })
  }
  return found
}

function firstEndingAfter(files: readonly Extent[], offset: number): number {
  let low = 0
  let high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const file = files[middle]
    if (file !== undefined && file.offset + file.size <= offset) low = middle + 1
    else high = middle
  }
  return low
}
