import { sha256Hex } from '../identity/index.ts'
import type { ItemFile } from './schema.ts'

const utf8 = new TextEncoder()

/**
 * An item's SHA-256 in hex: the only file's own, or that of the canonical JSON (RFC 8785) of `[[path, size, sha256]]`,
 * in item order, when there are several.
 */
export function contentSha256(files: readonly Pick<ItemFile, 'path' | 'size' | 'sha256'>[]): string {
  const [only] = files
  if (only !== undefined && files.length === 1) return only.sha256
  return sha256Hex(utf8.encode(JSON.stringify(files.map(({ path, size, sha256 }) => [path, size, sha256]))))
}

/**
 * A manifest's `filesDigest`: the SHA-256 in hex of the canonical JSON (RFC 8785) of all files, in item order, each with
 * its four members and no others.
 */
export function filesDigestOf(files: readonly ItemFile[]): string {
  // Members in code unit order; integers and well-formed text have one JSON spelling.
  return sha256Hex(
    utf8.encode(JSON.stringify(files.map(({ path, sha256, size, type }) => ({ path, sha256, size, type })))),
  )
}
