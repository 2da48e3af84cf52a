import { fitManifest, type Manifest } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/**
 * The manifest of an item published here. Who may not read an encrypted item does not learn from its previews what it is.
 */
export function manifestOf(
  { infoHash, name, size, pieceLength, files, replicas, createdAt, state, purgeAfter, access, about }: Item,
  trackers: readonly string[],
): Manifest {
  const { previewOf: _previewOf, ...hidden } = about
  const said = about.encryption === undefined ? about : hidden
  return fitManifest({
    infoHash,
    name,
    size,
    pieceLength,
    files,
    trackers: [...trackers],
    replicas,
    access,
    ...said,
    createdAt,
    state,
    ...(purgeAfter !== undefined && { purgeAfter }),
  })
}
