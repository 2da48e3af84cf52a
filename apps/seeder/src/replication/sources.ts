import type { Endpoints, NodeId } from '@eldernode/core'
import type { Egress } from '../egress/index.ts'

/** Where one item can be had. */
export interface Sources {
  /** `ip:port`, each one that the way out permits. */
  peers: string[]
  /** Base URLs of holders' HTTP interfaces, without a slash at the end. */
  holders: string[]
}

export interface Holder {
  id: NodeId
  endpoints: Endpoints
}

/** More sources than this make no transfer faster. */
const mostHolders = 12
const hostAndPort = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i

/**
 * Turns what holders say of themselves into addresses that may be dialled.
 *
 * Threat: endpoints are foreign text; one may name a service inside the operator's network.
 */
export async function sourcesOf(holders: Iterable<Holder>, egress: Egress): Promise<Sources> {
  const chosen = [...holders].slice(0, mostHolders)
  const peers = await Promise.all(chosen.map(({ endpoints }) => peerAddresses(endpoints.bittorrent, egress)))
  const bases = chosen.flatMap(({ endpoints }) => holderBase(endpoints.http, egress))
  return { peers: [...new Set(peers.flat())], holders: [...new Set(bases)] }
}

async function peerAddresses(endpoint: string | undefined, egress: Egress): Promise<string[]> {
  const [, six, name, port = ''] = hostAndPort.exec(endpoint ?? '') ?? []
  const host = six ?? name
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535 || !egress.isAllowedAddress(host)) return []
  try {
    const addresses = await egress.resolve(host)
    return addresses.map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
  } catch {
    // A name that does not resolve, or only to refused addresses, is no source; the others may be.
    return []
  }
}

function holderBase(endpoint: string, egress: Egress): string[] {
  if (!URL.canParse(endpoint)) return []
  const url = new URL(endpoint)
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return []
  if (!egress.isAllowedOrigin(url.href) && !egress.isAllowedAddress(url.hostname)) return []
  return [url.origin + url.pathname.replace(/\/+$/, '')]
}
