import type { Admitted } from './guard.ts'
import type { Candidate } from './wire/message.ts'

/** Characters of values, and values, in one GUN message. */
const messageSize = 64 << 10
const messageValues = 128

/** Values in portions that each fit one GUN message, of what is public or of what is not. */
export function* portions(values: readonly Admitted[]): Iterable<Candidate[]> {
  let part: Candidate[] = []
  let size = 0
  let hidden = false
  for (const admitted of values) {
    const { accepted } = admitted
    const value = candidateOf(admitted)
    const isFull = size + value.value.length > messageSize || part.length >= messageValues
    if (part.length > 0 && (isFull || hidden !== accepted.hidden)) {
      yield part
      part = []
      size = 0
    }
    part.push(value)
    hidden = accepted.hidden
    size += value.value.length
  }
  if (part.length > 0) yield part
}

/** A value that passed, as it is said on. */
export function candidateOf({ entry: { soul, key, ts, value } }: Admitted): Candidate {
  return { soul, key, state: ts, value }
}
