import type { NodeId } from '../identity/index.ts'
import type { Accepted } from './port.ts'
import type { Heartbeat } from '../presence/index.ts'
import type { Target } from './supervisor.ts'

/** How many members, beside the ring successor, a node links to at random. */
const randomLinks = 2
/** A member whose last heartbeat is older than this is not dialled, in milliseconds. */
const alive = 45_000

/**
 * Picks the members to link to: the next id on the ring, so that links of all nodes together reach everybody, and two
 * random ones, so that the network stays short and whole when neighbours die. Random picks are kept while they live.
 */
export class Neighbours {
  readonly #self: NodeId
  readonly #random: () => number
  #picked = new Set<NodeId>()

  constructor(self: NodeId, random: () => number) {
    this.#self = self
    this.#random = random
  }

  choose(heartbeats: Iterable<Accepted<Heartbeat>>, now: number): Target[] {
    const urls = new Map<NodeId, string>()
    for (const { pub, ts, body } of heartbeats) {
      const { gun } = body.endpoints
      if (pub !== this.#self && now - ts < alive && gun !== undefined && isGraph(gun)) urls.set(pub, gun)
    }
    const ring = [...urls.keys()].toSorted()
    const successor = ring.find((id) => id > this.#self) ?? ring[0]
    const rest = ring.filter((id) => id !== successor)
    this.#picked = new Set([...this.#picked].filter((id) => rest.includes(id)))
    while (this.#picked.size < Math.min(randomLinks, rest.length)) {
      const id = rest[Math.floor(this.#random() * rest.length)]
      if (id !== undefined) this.#picked.add(id)
    }
    return [successor, ...this.#picked].flatMap((node) => {
      const url = node === undefined ? undefined : urls.get(node)
      return url === undefined ? [] : [{ url, foreign: true, node }]
    })
  }
}

/** A member may send others to a graph only, not to any path of any host. */
function isGraph(url: string): boolean {
  return URL.canParse(url) && /\/gun\/?$/.test(new URL(url).pathname) && new URL(url).search === ''
}
