import { fitManifest, type Manifest } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/** The manifest of an item published here. */
export function manifestOf(
  { infoHash, name, size, pieceLength, files, replicas, createdAt, state, purgeAfter, access, about }: Item,
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
    access,
    ...about,
    createdAt,
    state,
    ...(purgeAfter !== undefined && { purgeAfter }),
  })
}
