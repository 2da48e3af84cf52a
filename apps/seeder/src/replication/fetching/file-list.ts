import { createHash } from 'node:crypto'
import { itemFileSchema, type ItemFile, type Manifest } from '@eldernode/core'
import { z } from 'zod'
import type { Fetched } from '../../swarm/index.ts'
import { ContentMismatchError, TransferError } from '../errors.ts'
import type { HolderClient } from './holder-client.ts'

const listSchema = z.array(itemFileSchema).min(1).max(20_000)

/**
 * All files of an item: those of the manifest, or, when it could not carry all of them, the list of the first holder
 * that gives the very text whose digest the publisher signed.
 * @throws TransferError when no holder has it
 */
export async function fullFileList(
  manifest: Manifest,
  holders: readonly string[],
  client: Pick<HolderClient, 'files'>,
  signal: AbortSignal,
): Promise<ItemFile[]> {
  if (manifest.filesDigest === undefined) return manifest.files
  let cause: unknown
  for (const base of holders) {
    try {
      const text = await client.files(base, manifest.infoHash, signal)
      const digest = createHash('sha256').update(text).digest('hex')
      if (digest === manifest.filesDigest) return listSchema.parse(JSON.parse(new TextDecoder().decode(text)))
    } catch (error) {
      signal.throwIfAborted()
      cause = error
    }
  }
  throw new TransferError('no_file_list', `no holder gave the list of files that item ${manifest.infoHash} signs`, {
    cause,
  })
}

/** Holds the torrent's names and sizes against the signed ones. @throws ContentMismatchError */
export function checkFiles(manifest: Manifest, files: readonly ItemFile[], fetched: Omit<Fetched, 'metainfo'>): void {
  const same =
    fetched.name === manifest.name &&
    fetched.files.length === files.length &&
    fetched.files.every(({ path, size }, i) => path === files[i]?.path && size === files[i].size)
  if (!same) {
    throw new ContentMismatchError(`the torrent of item ${manifest.infoHash} has not the files that its manifest signs`)
  }
}
