/** What a peer says has happened; the numbers are those of BEP 15, `paused` (BEP 21) is beyond them. */
export const happened = { update: 0, completed: 1, started: 2, stopped: 3, paused: 4 } as const

/** Peers are told to their own kind first: those of one address family, or those behind a WebSocket. */
export const kinds = { ipv4: 0, ipv6: 1, socket: 2 } as const
export type Kind = (typeof kinds)[keyof typeof kinds]

/**
 * One peer's word on one torrent, whatever the transport. A listener has one of these and fills it again for every
 * message, so that an announce costs no memory.
 */
export class Announce {
  /** 20 bytes as five big-endian words. */
  readonly infoHash = new Int32Array(5)
  kind: Kind = kinds.ipv4
  /** IPv4: one big-endian word; IPv6: four; behind a WebSocket: the number of the client. */
  readonly address = new Int32Array(4)
  /** 1 to 65535; 0 behind a WebSocket. */
  port = 0
  event: number = happened.update
  /** Bytes still missing; `NaN` when the peer does not know the size yet. */
  left: number = Number.NaN
  /** Peers that it wants to hear of. */
  wanted = 0
  /** The number of the passkey that it came with, 0 where none is asked for, -1 when it is none. */
  key = 0
  /** Bytes since its start as it says, `NaN` when it does not. Read by trackers with passkeys only. */
  uploaded: number = Number.NaN
  downloaded: number = Number.NaN
}
