import { fitManifest, type Manifest, trackersOf } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/**
 * The manifest of an item published here, with the trackers of its shard. Who may not read an encrypted item does not learn from its previews what it is.
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
    trackers: trackersOf(trackers, infoHash),
    replicas,
    access,
    ...said,
    createdAt,
    state,
    ...(purgeAfter !== undefined && { purgeAfter }),
  })
}
