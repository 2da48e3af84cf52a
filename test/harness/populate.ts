import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Holdings, networkIdOf, pieceLengthOf, seal } from '@eldernode/core'
import { SqliteGraphStore } from '@eldernode/member/graph-store'
import { openIdentity } from '@eldernode/member/keys'
import { type Item, openLibrary } from '@eldernode/seeder/library'
import { locate } from '../../packages/core/src/graph/souls.ts'
import { manifestOf } from '../../apps/seeder/src/publishing/index.ts'
import { createHashing } from '../../apps/seeder/src/ingest/hashing.ts'
import { describe } from '../../apps/seeder/src/ingest/metainfo.ts'
import { printOf } from '../../apps/seeder/src/library/blobs.ts'
import { Catalog } from '../../apps/seeder/src/library/catalog.ts'
import { seededBytes } from './bytes.ts'

export interface PopulationOptions {
  /** How many items. */
  items: number
  /** Bytes of each; within one piece. */
  size?: number
}

/** Items that follow from their index alone, so that a test asks for any of them without keeping all. */
export class Population {
  readonly items: number
  readonly size: number

  constructor({ items, size = 4096 }: PopulationOptions) {
    this.items = items
    this.size = size
  }

  name(index: number): string {
    return `item-${index}.bin`
  }

  bytes(index: number): Uint8Array<ArrayBuffer> {
    return seededBytes(index + 1, this.size)
  }

  infoHash(index: number): string {
    return this.metainfo(index).infoHash
  }

  metainfo(index: number, bytes: Uint8Array = this.bytes(index)): { metainfo: Uint8Array; infoHash: string } {
    const [name, { size }] = [this.name(index), this]
    const pieces = createHash('sha1').update(bytes).digest()
    return describe({ name, size, pieceLength: pieceLengthOf(size), pieces, files: [{ path: name, size }] })
  }
}

/** Long ago, so that nothing looks just written. Milliseconds since 1970. */
const firstCreated = Date.UTC(2025, 0, 1)
const replicas = { min: 1, target: 1 }
const perTransaction = 2000

/**
 * Fills a data folder with the items of a population as a daemon would have them that published them long ago and was
 * stopped: keys, blobs, catalog and, with `published`, manifests and holdings in the graph. The daemon must not run.
 */
export async function populate(
  folder: string,
  options: PopulationOptions & { published?: boolean; trackers?: readonly string[] },
): Promise<Population> {
  const population = new Population(options)
  if (population.size > pieceLengthOf(population.size)) throw new RangeError('an item of a population is one piece')
  mkdirSync(folder, { recursive: true })
  const hashing = createHashing()
  ;(await openLibrary({ folder, digest: hashing.digest })).close()
  await hashing.close()
  const identity = openIdentity(join(folder, 'node.key'))
  const network = networkIdOf(openIdentity(join(folder, 'owner.key')).id)
  const catalog = new Catalog(join(folder, 'catalog.db'))
  const graph = new SqliteGraphStore(join(folder, 'graph.db'))

  const put = (index: number): Item => {
    const bytes = population.bytes(index)
    const { metainfo, infoHash } = population.metainfo(index, bytes)
    const [name, { size }] = [population.name(index), population]
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const path = join(folder, 'blobs', sha256.slice(0, 2), sha256)
    writeFileSync(path, bytes)
    const print = printOf(path)
    if (print === undefined) throw new Error(`${path} vanished`)
    const item: Item = {
      infoHash,
      name,
      size,
      pieceLength: pieceLengthOf(size),
      files: [{ path: name, size, sha256, type: 'application/octet-stream' }],
      sha256,
      publisher: identity.id,
      replicas,
      createdAt: firstCreated + index,
      state: 'live',
      owner: '',
      access: 'public',
      about: {},
    }
    catalog.blobs.set({ ...print, sha256, state: 'sound', writtenAt: firstCreated, verifiedAt: firstCreated })
    catalog.addItem(item, metainfo)
    return item
  }

  const say = async (kind: 'm' | 'h', name: string, ts: number, body: object) => {
    const where = locate(network, kind, identity.id, name)
    if (where === undefined) throw new Error(`${name} is no key of kind ${kind}`)
    return { ...where, ts, value: await seal({ kind, network, ts, body }, identity) }
  }

  try {
    const held = new Map<string, string[]>()
    for (let from = 0; from < population.items; from += perTransaction) {
      const count = Math.min(perTransaction, population.items - from)
      const items = catalog.transact(() => Array.from({ length: count }, (_, i) => put(from + i)))
      if (options.published !== true) continue
      const manifests = items.map((item) => manifestOf(item, options.trackers ?? []))
      graph.upsert(await Promise.all(manifests.map((body) => say('m', body.infoHash, body.createdAt, body))), false)
      for (const { infoHash } of items) {
        const bucket = held.get(infoHash.slice(0, 2)) ?? []
        bucket.push(infoHash)
        held.set(infoHash.slice(0, 2), bucket)
      }
    }
    for (const [bucket, hashes] of held) {
      const holdings: Holdings = { held: hashes.toSorted(), releasing: [], refused: [] }
      graph.upsert([await say('h', bucket, firstCreated + population.items, holdings)], false)
    }
  } finally {
    graph.close()
    catalog.close()
  }
  return population
}
