import type { ItemFile } from '@eldernode/core'
import { may, type Viewer } from '../../access/index.ts'
import type { HeldFile, Library } from '../../library/index.ts'
import type { RemoteBytes, RemoteFile } from './remote-file.ts'
import { FileNotFoundError, MediaNotFoundError, MediaRetractedError, MediaUnsoundError } from '../errors.ts'
import type { Open } from './answers.ts'
import type { ByteSource, Part } from './file-sender.ts'
import { absence, assertSeen } from '../media/media-id.ts'
import type { Copies } from '../services.ts'

/** One file that may be sent, and where its bytes come from. */
export interface ServedFile extends Omit<HeldFile, 'state'> {
  file: ItemFile
  /** Of what is not the stored bytes. */
  etag?: string
  /**
   * @throws MediaNotFoundError, MediaUnsoundError when it was removed or lost at this very moment; TransferError and its
   * kinds, FetchFailedError, and the abort reason, for what is fetched from others
   */
  open: Open
}

const hit = 'eldernode; hit'

/** What finding a file needs of the library. */
export type Files = Pick<Library, 'file' | 'head' | 'condition' | 'openBlob'>

/**
 * A file of an item that is held here: the one at `path`, or its first.
 * @throws MediaNotFoundError, MediaRetractedError, MediaUnsoundError, FileNotFoundError, StorageSuspendedError
 */
async function heldFile(library: Files, viewer: Viewer, id: string, path?: string): Promise<ServedFile> {
  const held = await library.file(id, path)
  if (held === undefined) throw absence(library, id, viewer)
  assertSeen(viewer, held, id)
  if (held.state === 'retracted') throw new MediaRetractedError(id)
  const { file, infoHash } = held
  if (file === undefined) throw new FileNotFoundError(id, path ?? '')
  return { ...held, file, open: () => openBlob(library, infoHash, file.sha256, viewer) }
}

/** Which items are to be had from other nodes. */
export type Remote = Pick<Copies, 'remote'>

/**
 * `heldFile`, or the same file of an item that this node does not hold and others do: fetched from them while it is read.
 * @throws as heldFile; TransferError and its kinds
 */
export async function servedFile(
  library: Files,
  remote: Remote,
  viewer: Viewer,
  id: string,
  path?: string,
): Promise<ServedFile> {
  try {
    return await heldFile(library, viewer, id, path)
  } catch (error) {
    if (!(error instanceof MediaNotFoundError || error instanceof MediaUnsoundError)) throw error
    const infoHash = library.head(id)?.infoHash ?? id
    const found = await remote.remote(infoHash, path)
    if (found === undefined || may(viewer, found) === 'hidden') throw error
    const { file } = found
    if (file === undefined) throw new FileNotFoundError(id, path ?? '')
    return { ...found, file, open: (parts, signal) => openRemote(found, parts, signal) }
  }
}

async function openRemote(found: RemoteFile, parts: readonly Part[], signal: AbortSignal): Promise<ByteSource> {
  const bytes = await found.open(parts, signal)
  return {
    cacheStatus: cacheStatus(bytes),
    read: (target, length, position) => bytes.read(target, length, position),
    close: () => bytes.close(),
  }
}

/** RFC 9211. What is fetched is kept for the next reader. */
function cacheStatus({ found, shared }: Pick<RemoteBytes, 'found' | 'shared'>): string {
  if (found === 'all') return hit
  return `eldernode; fwd=${found === 'some' ? 'partial' : 'uri-miss'}; stored${shared ? '; collapsed' : ''}`
}

/**
 * What BitTorrent clients append to a web seed's base: the item's name, and the path if it is a folder. WebTorrent
 * appends nothing for a single file. @throws as heldFile
 */
export async function webSeedFile(library: Files, from: Viewer, id: string, path: string): Promise<ServedFile> {
  // A web seed is a part of the swarm, where the infohash is all that is asked for; a SHA-256 is not that.
  const viewer = id.length === 40 ? { caller: from.caller, member: from.member, peer: true } : from
  const first = await heldFile(library, viewer, id)
  if (first.alone && first.file.path === first.name && (path === first.name || path === '')) return first
  if (!path.startsWith(`${first.name}/`)) throw new FileNotFoundError(id, path)
  return await heldFile(library, viewer, id, path.slice(first.name.length + 1))
}

async function openBlob(library: Files, infoHash: string, sha256: string, viewer: Viewer): Promise<ByteSource> {
  try {
    const blob = await library.openBlob(sha256)
    return { cacheStatus: hit, read: blob.read, close: blob.close }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw absence(library, infoHash, viewer)
    throw error
  }
}
