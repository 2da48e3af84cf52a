import type { Served } from './plain-door.ts'

/** A file that tools look into: its path, or where its plaintext is served. */
export type Input = string | Served

export function environmentOf(input: Input): Record<string, string> {
  return typeof input === 'string' ? {} : input.environment
}
