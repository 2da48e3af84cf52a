import type { Endpoints } from '@eldernode/core'
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

/**
 * Holders in the order in which they are asked: at random, so that a new item's copies do not all come from one node,
 * but suspected ones last.
 */
export function inOrder(holders: readonly Peer[], random: () => number): Endpoints[] {
  const drawn = holders.map(({ heartbeat, suspected }) => ({ heartbeat, at: random() + (suspected ? 1 : 0) }))
  return drawn.toSorted((a, b) => a.at - b.at).map(({ heartbeat }) => heartbeat.endpoints)
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
