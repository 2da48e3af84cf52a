import { type Graph, type NodeId, retractManifest } from '@eldernode/core'
import type { Encryption } from '../encryption/index.ts'
import type { Library } from '../library/index.ts'
import { isDescribable } from '../media/index.ts'
import type { Swarm } from '../swarm/index.ts'
import { ItemGoneError, NotPublishedHereError } from './errors.ts'
import { manifestOf } from './manifest.ts'
import type { Turns } from '../turns.ts'

/** What taking down and bringing back work with. */
export interface LifeServices {
  id: NodeId
  turns: Turns
  library: Library
  encryption: Pick<Encryption, 'previews' | 'adding'>
  swarm: Pick<Swarm, 'seed' | 'remove'>
  graph: Pick<Graph, 'get' | 'publish'>
  replication: {
    claim(infoHash: string): Promise<void>
    touch(infoHash: string): void
    isPublished(infoHash: string): boolean
  }
  trackers: readonly string[]
  /** Milliseconds between the retraction of an item and the removal of its bytes. */
  purgeAfterMs: number
  retentionChanged(): void
  /** Told when an item waits to be described. */
  describe(): void
  now: () => number
}

/**
 * Retracts what this node published, and its previews; a preview that goes alone is no longer named. Once more changes
 * nothing.
 * @returns when the bytes go, in milliseconds since 1970
 * @throws NotPublishedHereError
 */
export async function retract(services: LifeServices, infoHash: string, reason?: string): Promise<number> {
  const purgeAfter = await withdraw(services, infoHash, reason)
  const parent = services.library.record(infoHash)?.about.previewOf
  if (parent !== undefined) await services.turns.take(parent, () => unname(services, parent, infoHash))
  return purgeAfter
}

/** The same but for the name of a preview: for who has the turn of its item. */
export async function withdraw(services: LifeServices, infoHash: string, reason?: string): Promise<number> {
  const purgeAfter = await services.turns.take(infoHash, () => retractOne(services, infoHash, reason))
  for (const preview of services.library.about.previewsOf(infoHash)) {
    if (services.graph.get('m', services.id, preview) !== undefined) await withdraw(services, preview)
  }
  return purgeAfter
}

/** Has a live item name a preview no more that is gone by itself. */
async function unname(services: LifeServices, infoHash: string, preview: string): Promise<void> {
  const { library, graph, encryption, trackers, id } = services
  const item = library.record(infoHash)
  const published = graph.get('m', id, infoHash)?.body
  if (item?.state !== 'live' || published?.state !== 'live') return
  const before = (await encryption.previews(item)) ?? []
  const previews = before.filter((other) => other.infoHash !== preview)
  if (previews.length === before.length) return
  const { previews: _before, ...rest } = item.about
  const isEncrypted = rest.encryption !== undefined
  const about = isEncrypted
    ? await encryption.adding(item, { previews })
    : { ...rest, ...(previews.length > 0 && { previews }) }
  library.about.set(infoHash, about)
  const { replicas } = published
  await graph.publish('m', infoHash, manifestOf({ ...item, about, replicas }, trackers))
}

async function retractOne(services: LifeServices, infoHash: string, reason: string | undefined): Promise<number> {
  const { graph, id, library, swarm, replication, purgeAfterMs, retentionChanged, now } = services
  const published = graph.get('m', id, infoHash)?.body
  if (published === undefined) throw new NotPublishedHereError(infoHash)
  const purgeAfter = (published.state === 'retracted' ? published.purgeAfter : undefined) ?? now() + purgeAfterMs
  if (published.state === 'live') {
    const change = { purgeAfter, ...(reason !== undefined && { reason }) }
    await graph.publish('m', infoHash, retractManifest(published, change))
  }
  // An item of two publishers is served until the last of them retracts it.
  if (library.record(infoHash)?.state === 'live' && !replication.isPublished(infoHash)) {
    library.retract(infoHash, purgeAfter)
    await swarm.remove(infoHash)
    retentionChanged()
  }
  replication.touch(infoHash)
  return purgeAfter
}

/** Takes an item down whose time has come, or has it looked at again if another node published it. */
export async function expire(services: LifeServices, infoHash: string): Promise<void> {
  if (services.graph.get('m', services.id, infoHash) !== undefined) await retract(services, infoHash, 'expired')
  services.replication.touch(infoHash)
}

/** Takes a preview down that nothing names. Those of other nodes are theirs to take down. */
export async function collect(services: LifeServices, infoHash: string): Promise<void> {
  if (services.graph.get('m', services.id, infoHash) !== undefined) await retract(services, infoHash, 'unused')
}

/**
 * Undoes a retraction of this node, with that of the previews, as long as the bytes are there. An item that is live stays
 * as it is. An expiry that has passed is dropped: the item would go again at once.
 * @throws NotPublishedHereError, ItemGoneError
 */
export async function restore(services: LifeServices, infoHash: string): Promise<void> {
  await services.turns.take(infoHash, () => restoreOne(services, infoHash))
  for (const preview of services.library.about.previewsOf(infoHash)) {
    if (services.graph.get('m', services.id, preview) !== undefined) await restore(services, preview)
  }
}

async function restoreOne(services: LifeServices, infoHash: string): Promise<void> {
  const { graph, id, library, swarm, replication, trackers, retentionChanged, now } = services
  const published = graph.get('m', id, infoHash)?.body
  if (published === undefined) throw new NotPublishedHereError(infoHash)
  const item = library.record(infoHash)
  if (item === undefined) throw new ItemGoneError(infoHash)
  const { expiresAt = Infinity, ...timeless } = item.about
  const hasExpired = expiresAt <= now()
  if (published.state === 'live' && !hasExpired) return
  const about = hasExpired ? timeless : item.about
  // From here on no purge takes the bytes.
  library.restore(infoHash)
  retentionChanged()
  if (about !== item.about) library.about.set(infoHash, about)
  await replication.claim(infoHash)
  const { purgeAfter: _purgeAfter, ...rest } = item
  const { replicas } = published
  await graph.publish('m', infoHash, manifestOf({ ...rest, about, replicas, state: 'live' }, trackers))
  // A decision that still saw the retraction may have come between.
  if (library.record(infoHash)?.state === 'retracted') library.restore(infoHash)
  if (library.get(infoHash) !== undefined && !library.isPaused(infoHash)) swarm.seed(infoHash)
  replication.touch(infoHash)
  // It may have been taken down before its turn came.
  if (isDescribable(item) && (await services.encryption.previews(item)) === undefined) {
    library.descriptions.add(infoHash)
    services.describe()
  }
}
