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
  return Array.from({ length: pairs.length / 2 }, (_, i) => hex(pairs[i * 2]!) + hex(pairs[i * 2 + 1]!))
}

/** Whether the pair is among ascending ones. */
export function hasPair(pairs: Uint32Array, high: number, low: number): boolean {
  let from = 0
  let to = pairs.length / 2 - 1
  while (from <= to) {
    const middle = (from + to) >>> 1
    const order = pairs[middle * 2]! - high || pairs[middle * 2 + 1]! - low
    if (order === 0) return true
    if (order < 0) from = middle + 1
    else to = middle - 1
  }
  return false
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0')
}
