/** One origin may keep a tenth of the awake torrents from sleeping. */
const share = 10

/**
 * Which torrents are kept awake by whose takings. Threat: a byte now and then is all it takes to keep a torrent awake, so
 * that a few addresses would fill every place for as long as they like. Its size is bounded by that of the connections.
 */
export class Claims {
  readonly #byOrigin = new Map<string, Map<string, number>>()
  readonly #maxActive: () => number

  constructor(maxActive: () => number) {
    this.#maxActive = maxActive
  }

  /** Another connection from there takes bytes of the torrent. @returns false when that may not keep it awake */
  take(origin: string, infoHash: string): boolean {
    const claims = this.#byOrigin.get(origin) ?? new Map<string, number>()
    const links = claims.get(infoHash) ?? 0
    if (links === 0 && claims.size >= Math.max(Math.floor(this.#maxActive() / share), 1)) return false
    claims.set(infoHash, links + 1)
    this.#byOrigin.set(origin, claims)
    return true
  }

  /** A connection that took bytes has ended. */
  release(origin: string, infoHash: string): void {
    const claims = this.#byOrigin.get(origin)
    const left = (claims?.get(infoHash) ?? 0) - 1
    if (left > 0) claims?.set(infoHash, left)
    else claims?.delete(infoHash)
    if (claims?.size === 0) this.#byOrigin.delete(origin)
  }
}
