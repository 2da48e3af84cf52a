import { fitManifest, type ItemFile, type Manifest } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/** The public manifest of an item published here. */
export function manifestOf(
  { infoHash, name, size, pieceLength, files, replicas, createdAt, state, purgeAfter }: Item,
  trackers: readonly string[],
): Manifest {
  return fitManifest({
    infoHash,
    name,
    size,
    pieceLength,
    files,
    trackers: [...trackers],
    replicas,
    access: 'public',
    createdAt,
    state,
    ...(purgeAfter !== undefined && { purgeAfter }),
  })
}

/** The text whose SHA-256 is a manifest's `filesDigest`: canonical JSON (RFC 8785), members in code unit order. */
export function canonicalFiles(files: readonly ItemFile[]): string {
  return JSON.stringify(files.map(({ path, sha256, size, type }) => ({ path, sha256, size, type })))
}
