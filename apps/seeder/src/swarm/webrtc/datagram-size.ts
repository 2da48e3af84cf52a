import { networkInterfaces } from 'node:os'
import { candidateHosts } from './sdp.ts'

/**
 * The MTU for peers on this machine, counted as the library does: without a path's true MTU it takes off 96 bytes for
 * IPv6, UDP and DTLS, whose record around the rest is 37 bytes longer at most. A record of 2,048 is the largest that
 * Chromium takes, so this is the largest whole number of words. Each datagram costs its
 * processes about 17 us besides its bytes.
 */
export const ownMachineMtu = 2_104

/**
 * The MTU for a peer by the description it sent; undefined for the library's safe one (1280), as nothing here probes
 * paths (RFC 8899). All its addresses have to be this machine's own, whose packets never leave it: a browser that hides
 * them by names is a stranger like any other. One that has the same private address in another network is far away:
 * its channel stalls, and the offer that is made then is for any path.
 */
export function mtuFor(sdp: string, own: ReadonlySet<string> = ownAddresses()): number | undefined {
  const hosts = candidateHosts(sdp)
  return hosts.length > 0 && hosts.every((host) => own.has(host.toLowerCase())) ? ownMachineMtu : undefined
}

function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return new Set(all.map(({ address }) => address.toLowerCase()))
}
