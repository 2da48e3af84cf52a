import type { Entry } from './port.ts'

const utf8 = new TextEncoder()

/**
 * Whether a value replaces the one that lies in its place. The greater signed time wins. A publisher that signed two
 * values for one time is at fault, but all nodes must still agree: the greater bytes win, in whichever order they came.
 */
export function supersedes(
  value: Pick<Entry, 'ts' | 'value'>,
  present: Pick<Entry, 'ts' | 'value'> | undefined,
): boolean {
  if (present === undefined || value.ts !== present.ts) return present === undefined || value.ts > present.ts
  return value.value !== present.value && compareBytes(utf8.encode(value.value), utf8.encode(present.value)) > 0
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
