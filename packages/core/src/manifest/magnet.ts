/** Where the bytes of an item can be had. `peer` is `host:port`, IPv6 in brackets; the others are URLs. */
export interface MagnetSources {
  trackers: readonly string[]
  /** Web seed bases (BEP 19). */
  webSeeds: readonly string[]
  peer?: string | undefined
}

/**
 * A magnet link (BEP 9): `xt` the infohash, `dn` the name, `xl` the size in bytes, one `tr` for each tracker, one `ws`
 * for each web seed, `x.pe` a peer. Values are percent-encoded, but for `xt` and `x.pe`, whose colons some clients
 * compare without decoding.
 */
export function magnetOf(
  item: { infoHash: string; name: string; size: number },
  { trackers, webSeeds, peer }: MagnetSources,
): string {
  const parts = [
    `xt=urn:btih:${item.infoHash}`,
    `dn=${encodeURIComponent(item.name)}`,
    `xl=${item.size}`,
    ...trackers.map((url) => `tr=${encodeURIComponent(url)}`),
    ...webSeeds.map((url) => `ws=${encodeURIComponent(url)}`),
    ...(peer === undefined ? [] : [`x.pe=${peer}`]),
  ]
  return `magnet:?${parts.join('&')}`
}
