import { isIP } from 'node:net'
import type { Egress } from '../egress/index.ts'
import { importUrl } from './address.ts'
import { ImportRefusedError } from './errors.ts'

const mostCharacters = 16_384
/** More of each kind make no import faster. */
const mostSources = 20
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** A torrent, and whom it names as having it; the addresses are foreign text. */
export interface Named {
  /** 40 lower-case hex digits. */
  infoHash: string
  trackers: string[]
  /** `host:port`. */
  peers: string[]
  webSeeds: string[]
}

/** Reads a magnet link (BEP 9, with `x.pe` and `ws`). @throws ImportRefusedError */
export function readMagnet(text: string): Named {
  if (text.length > mostCharacters)
    throw new ImportRefusedError(`its magnet is longer than ${mostCharacters} characters`)
  if (!/^magnet:\?/i.test(text)) throw new ImportRefusedError('it is no magnet link')
  const fields = new URLSearchParams(text.slice(text.indexOf('?') + 1))
  const all = (name: string): string[] =>
    [...fields].filter(([key]) => key.replace(/\.\d+$/, '') === name).map(([, value]) => value)
  const infoHash = all('xt')
    .map(infoHashOf)
    .find((found) => found !== undefined)
  if (infoHash === undefined)
    throw new ImportRefusedError('its magnet has no BitTorrent infohash (xt=urn:btih:, 40 hex or 32 base32 digits)')
  return { infoHash, trackers: all('tr'), peers: all('x.pe'), webSeeds: all('ws') }
}

function infoHashOf(topic: string): string | undefined {
  const [, hash = ''] = /^urn:btih:([0-9a-z]+)$/.exec(topic.toLowerCase()) ?? []
  if (/^[0-9a-f]{40}$/.test(hash)) return hash
  if (!/^[a-z2-7]{32}$/.test(hash)) return undefined
  const bits = Array.from(hash, (digit) => base32.indexOf(digit).toString(2).padStart(5, '0')).join('')
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0')).join('')
}

/** Those of the peers that may be dialled, names resolved once and for all. */
export async function peersOf({ peers }: Named, egress: Egress): Promise<string[]> {
  const found = await Promise.allSettled(peers.slice(0, mostSources).map((peer) => resolved(peer, egress)))
  return [...new Set(found.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])))]
}

async function resolved(peer: string, egress: Egress): Promise<string[]> {
  const [, six, name = '', port = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]{1,253})):(\d{1,5})$/i.exec(peer) ?? []
  const host = six ?? name
  if (host === '' || Number(port) < 1 || Number(port) > 65_535 || !egress.isAllowedAddress(host)) return []
  return (await egress.resolve(host)).map((address) => `${isIP(address) === 6 ? `[${address}]` : address}:${port}`)
}

/** Those of the web seeds that may be asked, as far as their text says. */
export function webSeedsOf({ webSeeds }: Named, egress: Egress): string[] {
  return [...new Set(webSeeds)].slice(0, mostSources).filter((text) => {
    try {
      return egress.isAllowedAddress(importUrl(text).hostname)
    } catch {
      return false
    }
  })
}

/** Those of the trackers that are ones by their address. */
export function trackersOf({ trackers }: Named, egress: Egress): string[] {
  return [...new Set(trackers)].slice(0, mostSources).filter((text) => {
    if (text.length > 300 || !URL.canParse(text)) return false
    const { protocol, hostname, username, password } = new URL(text)
    return /^(https?|wss?|udp):$/.test(protocol) && username + password === '' && egress.isAllowedAddress(hostname)
  })
}
