import type { Duplex } from 'node:stream'
import type { Caller } from '../signalling/index.ts'
import type { Counts } from '../swarm/index.ts'
import type { Family } from './address.ts'

/** A WebSocket of this process, as seen from one that keeps torrents it speaks of. */
export interface NearSocket {
  readonly from: Caller
  /** @param text each byte of its UTF-8 as one character */
  send(text: string): void
  /** What it said was malformed or beyond a limit. */
  refuse(reason: string): void
}

/** The upgrade of a connection to WebSocket, read and found right, as another process needs it. */
export interface Upgrade {
  webSocketKey: string
  /** The path that was asked for. */
  path: string
  kind: Family
  /** Four words. */
  address: readonly number[]
  isMember: boolean
}

/** Where a packet came from. */
export interface Sender {
  address: string
  port: number
}

/** An announce of HTTP, as another process needs it. */
export interface Asked {
  /** The query. */
  search: string
  kind: Family
  /** Four words. */
  address: Int32Array
  /** The number of its passkey. */
  key: number
}

export type CountsOf = (infoHash: Int32Array, into: Counts) => void

/**
 * The other processes of this tracker, of which each keeps the torrents of one shard. Transports have none where one
 * process keeps all.
 */
export interface Shards {
  /** Which one this process is. */
  readonly own: number
  /** Who keeps a torrent, by the first word of its infohash. */
  of(word: number): number
  /** Has a UDP packet answered whose connection id was right. It is lost, as on a full line, where that cannot be. */
  pass(shard: number, packet: Buffer, from: Sender): void
  /**
   * Has an announce of HTTP answered: `answered` is called once, soon or later, with the bencoded body, each byte as one
   * character.
   */
  ask(shard: number, asked: Asked, answered: (text: string) => void): void
  /** Calls back once with the counts of all of them, wherever they are kept; zeros for those that nobody answered for. */
  counts(infoHashes: readonly Int32Array[], key: number, known: (countsOf: CountsOf) => void): void
  /** Passes on what a WebSocket said of a torrent that is kept there. Answers come to the socket. */
  say(shard: number, socket: NearSocket, text: string): void
  /** A WebSocket is gone; it need not have said anything. */
  gone(socket: NearSocket): void
  /** Gives a whole connection away. @returns false when it cannot be, and is as it was */
  give(shard: number, stream: Duplex, head: Buffer, upgrade: Upgrade): boolean
}
