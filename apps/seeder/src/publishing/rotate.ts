import { NoIdentityError, NotEncryptedError } from '../encryption/index.ts'
import type { IncomingFile } from '../ingest/index.ts'
import type { Item } from '../library/index.ts'
import { type LifeServices, retract } from './retract.ts'
import { publishIngested, type Published, type PublishingServices } from './publish.ts'

/** What rotating works with. */
export type RotationServices = Omit<PublishingServices, 'swarm'> & LifeServices

/**
 * Encrypts an item anew under an identity of its own, publishes it for the same readers instead of the old one, and
 * retracts that.
 * @throws NotEncryptedError, NoIdentityError; SealBrokenError; what publishing throws
 */
export async function rotate(services: RotationServices, item: Item, signal: AbortSignal): Promise<Published> {
  const { encryption, library, ingest, now } = services
  const key = library.keys.get(item.infoHash)
  if (key === undefined) throw new NotEncryptedError(item.infoHash)
  const revealed = await encryption.reveal(item)
  if (revealed === undefined) throw new NoIdentityError(item.infoHash)
  const { owner, access, replicas } = item
  const { rotateEvery } = key
  const draft = await encryption.begin({
    owner,
    access,
    readers: encryption.grants.of(item.infoHash),
    replaces: item.infoHash,
    ...(rotateEvery !== undefined && { rotateEvery, rotateAt: now() + rotateEvery }),
  })
  // Previews go with the old item; the successor gets its own. What was found out and sealed must not be shown by it.
  const { name, files, previews: _previews, ...rest } = revealed
  const hidden = access === 'private' ? rest : {}
  const paths = files.length === 1 ? [name] : files.map(({ path }) => `${name}/${path}`)
  const ingested = await ingest.receive(plainFiles(services, item, paths), {
    name,
    expectedSize: files.reduce((sum, { size }) => sum + size, 0),
    disposable: true,
    sealing: draft.sealing,
    signal,
  })
  const { encryption: _old, previews: _shown, ...shown } = item.about
  const about = { ...shown, ...hidden, replaces: item.infoHash }
  const published = await publishIngested(services, ingested, { owner, access, about, replicas, signal, draft })
  await retire(services, item.infoHash)
  return published
}

async function retire(services: RotationServices, infoHash: string): Promise<void> {
  await retract(services, infoHash, 'replaced under a new key')
  services.library.keys.retired(infoHash)
}

/**
 * Retracts what has a successor and was not retracted, since the node stopped in between. @param failed told of each that
 * could not be; the others go on
 */
export async function retractReplaced(
  services: RotationServices,
  failed: (infoHash: string, error: unknown) => void,
): Promise<void> {
  const { library, graph, id } = services
  for (const infoHash of library.keys.replaced()) {
    const successor = library.keys.get(infoHash)?.successor ?? ''
    try {
      if (graph.get('m', id, successor)?.body.state === 'live') await retire(services, infoHash)
    } catch (error) {
      failed(infoHash, error)
    }
  }
}

async function* plainFiles(
  { encryption }: Pick<RotationServices, 'encryption'>,
  item: Item,
  paths: readonly string[],
): AsyncGenerator<IncomingFile> {
  for (const [n, path] of paths.entries()) {
    const file = await encryption.file(item, n)
    if (file === undefined) throw new NoIdentityError(item.infoHash)
    try {
      yield { path, bytes: file.chunks() }
    } finally {
      await file.close()
    }
  }
}
