import { hexToBytes } from '@noble/hashes/utils.js'
import { fromBase64url, toBase64url } from '../identity/index.ts'

/** Bytes of a tag: enough to tell items apart, too few to fetch one by. */
export const TAG_BYTES = 8

/** What results call an item by: the first 8 bytes of its infohash, 16 hex digits. */
export function tagOf(infoHash: string): string {
  return infoHash.slice(0, TAG_BYTES * 2)
}

/** @param tags in any order, repeats allowed. @returns what `proven` of a result carries */
export function packTags(tags: Iterable<string>): string {
  return toBase64url(hexToBytes([...new Set(tags)].toSorted().join('')))
}

/**
 * The tags as pairs of unsigned 32-bit numbers, for a search.
 * @returns `undefined` unless they are whole, in ascending order and without repeats
 */
export function tagPairs(proven: string): Uint32Array | undefined {
  let bytes: Uint8Array
  try {
    bytes = fromBase64url(proven)
  } catch {
    return undefined
  }
  if (bytes.length % TAG_BYTES !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const pairs = new Uint32Array(bytes.length / 4)
  for (let at = 0; at < pairs.length; at++) pairs[at] = view.getUint32(at * 4)
  for (let at = 2; at < pairs.length; at += 2) {
    const [highBefore, lowBefore, high, low] = [pairs[at - 2]!, pairs[at - 1]!, pairs[at]!, pairs[at + 1]!]
    if (high < highBefore || (high === highBefore && low <= lowBefore)) return undefined
  }
  return pairs
}

/** The tags of pairs, 16 hex digits each. */
export function tagsOf(pairs: Uint32Array): string[] {
  return Array.from({ length: pairs.length / 2 }, (_, i) => tagAt(pairs, i * 2))
}

/**
 * Whether the pair is among ascending ones of one bucket. Infohashes are spread evenly, so that the search begins where
 * the tag should lie and widens from there: it touches memory in one or two places instead of ten.
 */
export function hasPair(pairs: Uint32Array, high: number, low: number): boolean {
  const count = pairs.length >>> 1
  let from = 0
  let to = count - 1
  let middle = Math.trunc(((high & 0xffffff) / 0x1000000) * count)
  let step = 4
  while (from <= to) {
    const order = compareAt(pairs, middle, high, low)
    if (order === 0) return true
    if (order < 0) from = middle + 1
    else to = middle - 1
    middle = order < 0 ? middle + step : middle - step
    step *= 2
    if (middle < from || middle > to || step > 64) middle = (from + to) >>> 1
  }
  return false
}

/** The tags that are in one of two ascending lists only. */
export function differingTags(a: Uint32Array, b: Uint32Array): string[] {
  const differing: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const order = i >= a.length ? 1 : j >= b.length ? -1 : compareAt(a, i / 2, b[j]!, b[j + 1]!)
    if (order < 0) differing.push(tagAt(a, i))
    else if (order > 0) differing.push(tagAt(b, j))
    if (order <= 0) i += 2
    if (order >= 0) j += 2
  }
  return differing
}

function compareAt(pairs: Uint32Array, at: number, high: number, low: number): number {
  const other = pairs[at * 2]!
  return other === high ? pairs[at * 2 + 1]! - low : other - high
}

function tagAt(pairs: Uint32Array, at: number): string {
  return hex(pairs[at]!) + hex(pairs[at + 1]!)
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0')
}
