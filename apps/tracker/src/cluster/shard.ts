/**
 * Which of so many processes keeps a torrent.
 *
 * @param word the first four bytes of its infohash, or the number in an announce path
 */
export const shardOf = (word: number, shards: number): number => (word >>> 0) % shards
