import type { Replicas } from '@eldernode/core'
import type { IncomingFile, Ingested } from '../ingest/index.ts'
import type { Item } from '../library/index.ts'
import { manifestOf } from './manifest.ts'
import type { Services } from './services.ts'

export interface Upload {
  name?: string
  replicas: Replicas
  expectedSize?: number
  disposable?: boolean
  signal: AbortSignal
}

/** The way of one upload. When it resolves, the item is durable, seeded and announced. */
export async function publish(
  { ingest, library, replication, swarm, graph, id, trackers, retentionChanged, now }: Services,
  files: AsyncIterable<IncomingFile>,
  { replicas, signal, ...options }: Upload,
): Promise<{ item: Item; created: boolean }> {
  const ingested = await ingest.receive(files, { ...options, signal })
  try {
    signal.throwIfAborted()
    const described = describe(ingested, { publisher: id, replicas, createdAt: now() })
    const { item, created } = await library.commit(ingested.staging, described, ingested.metainfo)
    const live: Item = { ...withoutPurge(item), state: 'live' }
    if (item.state === 'retracted') {
      library.restore(item.infoHash)
      retentionChanged()
    }
    await replication.claim(item.infoHash)
    if (!library.isPaused(item.infoHash)) swarm.seed(item.infoHash)
    if (graph.get('m', id, item.infoHash)?.body.state !== 'live') {
      await graph.publish('m', item.infoHash, manifestOf({ ...live, replicas }, trackers))
    }
    // A decision that still saw the retraction may have come between.
    if (library.get(item.infoHash)?.state === 'retracted') library.restore(item.infoHash)
    replication.touch(item.infoHash)
    return { item: live, created }
  } finally {
    await ingested.staging.discard()
  }
}

function describe(
  { infoHash, name, size, pieceLength, files, sha256 }: Ingested,
  rest: Pick<Item, 'publisher' | 'replicas' | 'createdAt'>,
): Item {
  return { infoHash, name, size, pieceLength, files, sha256, ...rest, state: 'live' }
}

function withoutPurge({ purgeAfter: _purgeAfter, ...item }: Item): Item {
  return item
}
