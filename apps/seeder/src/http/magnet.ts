/** What a magnet link says besides the item itself. `peer` is `host:port`. */
export interface MagnetSources {
  trackers: readonly string[]
  webSeed: string
  peer: string | undefined
}

/**
 * A magnet link (BEP 9): `xt`, `dn`, `xl`, one `tr` for each tracker, `ws` (BEP 19), `x.pe`.
 * Colons of `xt` and `x.pe` stay plain: clients compare and parse them without decoding.
 */
export function magnetOf(
  item: { infoHash: string; name: string; size: number },
  { trackers, webSeed, peer }: MagnetSources,
): string {
  const parts = [
    `xt=urn:btih:${item.infoHash}`,
    `dn=${encodeURIComponent(item.name)}`,
    `xl=${item.size}`,
    ...trackers.map((url) => `tr=${encodeURIComponent(url)}`),
    `ws=${encodeURIComponent(webSeed)}`,
    ...(peer === undefined ? [] : [`x.pe=${peer}`]),
  ]
  return `magnet:?${parts.join('&')}`
}
