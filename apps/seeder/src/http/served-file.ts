import { open } from 'node:fs/promises'
import type { ItemFile } from '@eldernode/core'
import type { Viewer } from '../access/index.ts'
import type { HeldFile, Library } from '../library/index.ts'
import { FileNotFoundError, MediaRetractedError } from './errors.ts'
import type { ByteSource } from './file-sender.ts'
import { absence, assertSeen } from './media-id.ts'

/** One file that may be sent, and where its bytes come from. */
export interface ServedFile extends Omit<HeldFile, 'state'> {
  file: ItemFile
  /** @throws MediaNotFoundError, MediaUnsoundError when it was removed or lost at this very moment */
  open(): Promise<ByteSource>
}

/** What finding a file needs of the library. */
export type Files = Pick<Library, 'file' | 'head' | 'condition' | 'blobPath'>

/**
 * A file of an item that is held here: the one at `path`, or its first.
 * @throws MediaNotFoundError, MediaRetractedError, MediaUnsoundError, FileNotFoundError, StorageSuspendedError
 */
export async function heldFile(library: Files, viewer: Viewer, id: string, path?: string): Promise<ServedFile> {
  const held = await library.file(id, path)
  if (held === undefined) throw absence(library, id, viewer)
  assertSeen(viewer, held, id)
  if (held.state === 'retracted') throw new MediaRetractedError(id)
  const { file, infoHash } = held
  if (file === undefined) throw new FileNotFoundError(id, path ?? '')
  return { ...held, file, open: () => openBlob(library, infoHash, file.sha256, viewer) }
}

/**
 * What BitTorrent clients append to a web seed's base: the item's name, and the path if it is a folder. WebTorrent
 * appends nothing for a single file. @throws as heldFile
 */
export async function webSeedFile(library: Files, viewer: Viewer, id: string, path: string): Promise<ServedFile> {
  const first = await heldFile(library, viewer, id)
  if (first.alone && first.file.path === first.name && (path === first.name || path === '')) return first
  if (!path.startsWith(`${first.name}/`)) throw new FileNotFoundError(id, path)
  return await heldFile(library, viewer, id, path.slice(first.name.length + 1))
}

async function openBlob(library: Files, infoHash: string, sha256: string, viewer: Viewer): Promise<ByteSource> {
  try {
    const handle = await open(library.blobPath(sha256), 'r')
    return {
      read: async (target, length, position) => (await handle.read(target, 0, length, position)).bytesRead,
      close: () => handle.close(),
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw absence(library, infoHash, viewer)
    throw error
  }
}
