import type { ItemFile } from '@eldernode/core'

/** The text whose SHA-256 is a manifest's `filesDigest`: canonical JSON (RFC 8785), members in code unit order. */
export function canonicalFiles(files: readonly ItemFile[]): string {
  return JSON.stringify(files.map(({ path, sha256, size, type }) => ({ path, sha256, size, type })))
}
