import { networkInterfaces } from 'node:os'
import { candidateHosts } from './sdp.ts'

export interface PathLimits {
  /** Bytes of a datagram, counted as the library does; absent for its safe one (1280), as nothing here probes paths (RFC 8899). */
  mtu?: number
  /** Bytes under way to the peer at most. */
  flight: number
}

/**
 * To peers on this very machine. Without a path's true MTU the library takes off 96 bytes for IPv6, UDP and DTLS, whose
 * record around the rest is 37 bytes longer at most. A record of 2,048 is the largest that Chromium takes, so this is the
 * largest whole number of words. Each datagram costs its processes about 17 us besides its bytes.
 *
 * Chromium's socket holds 128 KiB as the system counts: 30 such datagrams. What comes beyond is lost, for which SCTP halves
 * its rate or falls silent for 200 ms, and such a short path needs no more. Measured: 17 to 22 MB/s with 256 KiB, of which
 * one datagram in 70 was lost, 28 to 31 MB/s with 48 KiB and next to none lost.
 */
export const ownMachine: Required<PathLimits> = { mtu: 2_104, flight: 48 * 1024 }

/** The library would send 1 MiB at once. 256 KiB lose less in bursts, see `stallAfter`, and fill 20 Mbit/s at 100 ms. */
const anywhere: PathLimits = { flight: 256 * 1024 }

/**
 * For a peer by the description it sent. It is on this machine when all its addresses are the machine's own, whose packets
 * never leave it: a browser that hides them by names is a stranger like any other. One that has the same private address
 * in another network is far away: its channel stalls, and the offer that is made then is for any path.
 */
export function limitsFor(sdp?: string, own: ReadonlySet<string> = ownAddresses()): PathLimits {
  const hosts = sdp === undefined ? [] : candidateHosts(sdp)
  return hosts.length > 0 && hosts.every((host) => own.has(host.toLowerCase())) ? ownMachine : anywhere
}

function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return new Set(all.map(({ address }) => address.toLowerCase()))
}
