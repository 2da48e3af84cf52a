import { InvalidInputError } from '../errors.ts'

/** Each is a connection of its own to the tracker. */
const mostShards = 64

const template = /\{(\d*)\}/g

/**
 * How many shards a tracker's URL names: four where `{4}` stands in it, as in `wss://tracker.example/announce/{4}`, one
 * where nothing like it does. Throws `InvalidInputError`.
 */
export function shardsOf(url: string): number {
  const [first, ...more] = url.matchAll(template)
  if (first === undefined) return 1
  const shards = Number(first[1])
  if (more.length > 0 || !(shards >= 1 && shards <= mostShards))
    throw new InvalidInputError(`${url} must name its shards once, from {1} to {${mostShards}}`)
  return shards
}

/** The shard that keeps an item: the first four bytes of its infohash (40 hex digits), modulo their number. */
export function shardOf(infoHash: string, shards: number): number {
  return Number.parseInt(infoHash.slice(0, 8), 16) % shards
}

/** The announce URL of one shard, from 0 on. */
export function shardUrl(url: string, shard: number): string {
  return url.replace(template, `${shard}`)
}

/** The announce URLs of an item, as magnets and manifests tell them: those of its shard where a tracker has shards. */
export function trackersOf(urls: readonly string[], infoHash: string): string[] {
  return urls.map((url) => shardUrl(url, shardOf(infoHash, shardsOf(url))))
}
