import type { Endpoints, NodeId } from '@eldernode/core'
import type { Egress } from '../../egress/index.ts'
import type { Peer } from '../port.ts'

/** Where one item can be had. */
export interface Sources {
  /** `host:port`; the swarm judges names again by the address they resolve to. */
  peers: string[]
  /** Base URLs of holders' HTTP interfaces, without a slash at the end. */
  holders: string[]
}

/** More sources than this make no transfer faster. */
const mostHolders = 12
const hostAndPort = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i

/** Members whose answers take no longer are all equally near. */
const nearestMs = 4
/** More than any distance. */
const suspectedLast = 100

/**
 * Holders in the order in which they are asked: the nearest first, suspected ones last. Those whose times are within a
 * factor of two of each other go at random, so that a new item's copies do not all come from one node; so do, first of
 * all, those that were never asked.
 * @param timeOf milliseconds that a member takes to answer, if it was ever asked
 */
export function inOrder(
  holders: readonly Peer[],
  timeOf: (id: NodeId) => number | undefined,
  random: () => number,
): Peer[] {
  const drawn = holders.map((peer) => {
    const ms = timeOf(peer.id)
    const distance = ms === undefined ? 0 : 1 + Math.max(0, Math.floor(Math.log2(ms / nearestMs)))
    return { peer, at: distance + random() + (peer.suspected ? suspectedLast : 0) }
  })
  return drawn.toSorted((a, b) => a.at - b.at).map(({ peer }) => peer)
}

/**
 * Turns what holders say of themselves into addresses that may be dialled.
 *
 * Threat: endpoints are foreign text; one may name a service inside the operator's network.
 */
export function sourcesOf(holders: readonly Endpoints[], egress: Egress): Sources {
  const chosen = holders.slice(0, mostHolders)
  const peers = chosen.flatMap(({ bittorrent }) => peerAddress(bittorrent ?? '', egress))
  const bases = chosen.flatMap(({ http }) => holderBase(http, egress))
  return { peers: [...new Set(peers)], holders: [...new Set(bases)] }
}

/** Whether `sourcesOf` made this address of a peer, or base URL, of these endpoints. */
export function isSource(source: string, { bittorrent, http }: Endpoints, egress: Egress): boolean {
  return source === bittorrent || holderBase(http, egress).includes(source)
}

function peerAddress(endpoint: string, egress: Egress): string[] {
  const [, six, name, port = ''] = hostAndPort.exec(endpoint) ?? []
  const host = six ?? name
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return []
  return egress.isAllowedAddress(host) ? [endpoint] : []
}

function holderBase(endpoint: string, egress: Egress): string[] {
  if (!URL.canParse(endpoint)) return []
  const url = new URL(endpoint)
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return []
  if (!egress.isAllowedOrigin(url.href) && !egress.isAllowedAddress(url.hostname)) return []
  return [url.origin + url.pathname.replace(/\/+$/, '')]
}
