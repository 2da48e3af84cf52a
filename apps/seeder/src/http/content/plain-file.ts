import type { FastifyReply } from 'fastify'
import { mayDecrypt, type Viewer } from '../../access/index.ts'
import { absence } from '../media/media-id.ts'
import type { ServedFile } from './served-file.ts'
import { FileNotFoundError, PathRequiredError } from '../errors.ts'
import type { Services } from '../services.ts'

/** A stored file of this type is one that was encrypted. */
const sealedType = 'application/vnd.age'

/** What reading encrypted items in the clear takes. */
export interface Plain {
  library: Pick<Services['library'], 'head' | 'keys' | 'get' | 'file' | 'condition'>
  encryption: Pick<Services['encryption'], 'reveal' | 'file'>
}

/** What answers about encrypted items say besides: who asks decides what they are about. */
export function encryptionHeaders({ file, etag }: ServedFile, reply: FastifyReply): Record<string, string> {
  const isPlain = etag !== undefined
  if (!isPlain && file.type !== sealedType) return {}
  const vary = [reply.getHeader('vary') ?? [], 'authorization'].flat().join(', ')
  return { vary, ...(isPlain && { 'cache-control': 'private, max-age=31536000, immutable' }) }
}

/**
 * A file of an encrypted item held here as it was before, for who may read it so: the one at `path`, or its only one.
 * @returns undefined for everybody else, for whom, and under whose stored path, there is the age file
 * @throws PathRequiredError; MediaUnsoundError, StorageSuspendedError; SealBrokenError, WrongIdentityError
 */
export async function plainFile(
  { library, encryption }: Plain,
  viewer: Viewer,
  id: string,
  path?: string,
): Promise<ServedFile | undefined> {
  if (viewer.caller === undefined) return undefined
  const { infoHash = '' } = library.head(id) ?? {}
  // Of an item of many files, none is read for nothing.
  if (!library.keys.isEncrypted(infoHash)) return undefined
  const item = library.get(infoHash)
  if (item?.state !== 'live' || !mayDecrypt(viewer, item)) return undefined
  const revealed = await encryption.reveal(item)
  if (revealed === undefined) return undefined
  const alone = revealed.files.length === 1
  if (path === undefined && !alone) throw new PathRequiredError(infoHash)
  const n = path === undefined ? 0 : revealed.files.findIndex((file) => file.path === path)
  const [plain, stored] = [revealed.files[n], item.files[n]]
  if (plain === undefined || stored === undefined) {
    if (item.files.some((file) => file.path === path)) return undefined
    throw new FileNotFoundError(id, path ?? '')
  }
  if ((await library.file(infoHash, stored.path)) === undefined) throw absence(library, id, viewer)
  return {
    infoHash,
    name: revealed.name,
    createdAt: item.createdAt,
    owner: item.owner,
    access: item.access,
    alone,
    file: { ...plain, sha256: stored.sha256 },
    etag: `"${stored.sha256}-plain"`,
    open: async () => {
      const file = await encryption.file(item, n)
      if (file === undefined) throw absence(library, id, viewer)
      return file
    },
  }
}
