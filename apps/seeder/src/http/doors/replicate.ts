import type { FastifyRequest } from 'fastify'
import { assertSeen } from '../media/media-id.ts'
import { MediaNotFoundError } from '../errors.ts'
import type { Services } from '../services.ts'

/**
 * Has this node look again whether it should hold an item that is published in its network.
 * @returns what came of it, for people @throws MediaNotFoundError
 */
export async function askForCopy(
  { library, replication }: Pick<Services, 'library' | 'replication'>,
  viewer: FastifyRequest,
  id: string,
): Promise<string> {
  const head = library.head(id)
  if (head !== undefined) assertSeen(viewer, head, id)
  const infoHash = head?.infoHash ?? (id.length === 40 ? id : (await replication.remote(id))?.infoHash)
  if (infoHash === undefined) throw new MediaNotFoundError(id)
  if (library.condition(infoHash) === 'held') return 'This node holds a copy.'
  if (!replication.isPublished(infoHash)) throw new MediaNotFoundError(id)
  replication.touch(infoHash)
  return 'Asked for. Placement decides which nodes hold a copy.'
}
