/** Holdings travel in 256 buckets, by the first byte of the infohash: two lower-case hex digits. */
export function bucketOf(infoHash: string): string {
  return infoHash.slice(0, 2)
}

/** Hashes that one envelope can name beside its other members, with some room to spare. */
export const BUCKET_ITEMS = 1500
