import { ENVELOPE_LIMITS } from '../envelope/index.ts'
import { filesDigestOf } from './digests.ts'
import { type About, aboutSchema } from './details.ts'
import type { ItemFile, Manifest } from './schema.ts'

/** Bytes of an envelope beside its body: names, network, key, signature and the longest time there can be. */
const ENVELOPE_REST = 230
const BODY_BYTES = ENVELOPE_LIMITS.m - ENVELOPE_REST
const MOST_FILES = 200

const utf8 = new TextEncoder()

/** A manifest before its list of files was cut to what fits. */
export type WholeManifest = Omit<Manifest, 'filesDigest'>

/**
 * Makes a manifest fit its envelope: `files` keeps as many as there is room for, from the first on, and `filesDigest`
 * vouches for the rest. When there is no room for any, an album names its first tracks only. What is too long even then
 * is found by `seal`.
 */
export function fitManifest(whole: WholeManifest): Manifest {
  const all = whole.files
  const bare = withFewerTracks({ ...whole, files: [] })
  const files = fitting(all, BODY_BYTES - bytesOf(bare))
  if (files.length === all.length) return { ...bare, files }
  const cut = { ...bare, filesDigest: filesDigestOf(all) }
  return { ...cut, files: fitting(all, BODY_BYTES - bytesOf(cut)) }
}

/**
 * The retraction of a published manifest. Nobody fetches the item any more, so its files, and the tracks of an album,
 * give way to the reason.
 * @param change `purgeAfter` in milliseconds: when the bytes go; until then the retraction can be undone
 */
export function retractManifest(live: Manifest, change: { purgeAfter: number; reason?: string }): Manifest {
  const retracted: Manifest = { ...live, ...change, state: 'retracted' }
  if (bytesOf(retracted) <= BODY_BYTES) return retracted
  return withFewerTracks({ ...retracted, files: [], filesDigest: live.filesDigest ?? filesDigestOf(live.files) })
}

/** Leaves out as many of the last tracks as need be for a digest to have room. */
function withFewerTracks<M extends WholeManifest>(manifest: M): M {
  const { media } = manifest
  if (media?.tracks === undefined) return manifest
  const tracks = [...media.tracks]
  let excess = bytesOf({ ...manifest, filesDigest: '0'.repeat(64) }) - BODY_BYTES
  while (excess > 0 && tracks.length > 0) excess -= bytesOf(tracks.pop() ?? {}) + 1
  return tracks.length === media.tracks.length ? manifest : { ...manifest, media: { ...media, tracks } }
}

function fitting(files: readonly ItemFile[], room: number): ItemFile[] {
  const kept: ItemFile[] = []
  let left = room
  for (const file of files.slice(0, MOST_FILES)) {
    left -= bytesOf(file) + 1
    if (left < 0) break
    kept.push(file)
  }
  return kept
}

function bytesOf(value: object): number {
  return utf8.encode(JSON.stringify(value)).length
}

/** What a manifest says of its item beyond the bytes. */
export function aboutOf(manifest: Manifest): About {
  return aboutSchema.parse(manifest)
}
