/** 40 hex digits as five big-endian words. @returns false when it is no such text; then the words mean nothing */
export const infoHashWords = (hex: string, into: Int32Array): boolean => {
  if (!/^[\da-f]{40}$/i.test(hex)) return false
  for (let i = 0; i < 5; i++) into[i] = Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16) | 0
  return true
}
