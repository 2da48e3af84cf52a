import type { Holdings } from '../holdings/schema.ts'
import type { Certificate, Succession } from '../membership/schema.ts'
import type { Manifest } from '../manifest/schema.ts'
import type { Heartbeat } from '../presence/schema.ts'
import type { NodeId } from '../identity/identity.ts'

/** The kinds of value that travel in envelopes; each has its own soul (see docs/protocol.md). */
export type Kind = 'm' | 'h' | 'hb' | 'p' | 'o'

/** One signed value as it lies in the graph. `ts` is the signed time in milliseconds; `value` the envelope's JSON text. */
export interface Entry {
  soul: string
  key: string
  ts: number
  value: string
}

/**
 * Where entries live for good. The store is the truth and GUN only the wire: `upsert` keeps an entry only when its
 * `ts` is greater than the stored one, and resolves once the batch is durable.
 */
export interface GraphStore {
  upsert(entries: readonly Entry[]): void | Promise<void>
  get(soul: string, key: string): Entry | undefined
  /** Entries of one soul in key order, after `afterKey`, at most `limit`. */
  page(soul: string, afterKey: string, limit: number): Entry[]
  /** Souls that start with `prefix`, in order, after `afterSoul`, at most `limit`. */
  souls(prefix: string, afterSoul: string, limit: number): string[]
}

/** An already opened WebSocket, a browser's or a `ws` one, reduced to what a link needs. */
export interface Socket {
  send(text: string): void
  close(code?: number): void
  /** Ends the socket without a closing handshake where the platform can. */
  terminate(): void
  readonly bufferedAmount: number
  onMessage(listener: (text: string) => void): void
  onClose(listener: () => void): void
}

/** Opens a link to a peer's `/gun`. Rejects when it cannot; the supervisor dials again. */
export type Dial = (url: string, signal: AbortSignal) => Promise<Socket>

/** A value that passed the guard, its schema, membership and signature. */
export interface Accepted<Body = unknown> {
  kind: Kind
  pub: NodeId
  ts: number
  soul: string
  key: string
  body: Body
}

/** The bodies of each kind, as their schemas give them. */
export interface Bodies {
  m: Manifest
  h: Holdings
  hb: Heartbeat
  p: Certificate
  o: Succession
}

/** The network's shared memory as the rest of a node sees it. */
export interface Graph {
  /**
   * Signs `body` with this node's identity, stores it durably and sends it to every link.
   * Manifests are keyed by infohash, holdings by bucket (two hex digits); heartbeats have one key and ignore theirs.
   * @throws ClockError when the persisted `ts` is more than 5 minutes ahead of this machine's clock
   */
  publish<K extends 'm' | 'h' | 'hb'>(kind: K, key: string, body: Bodies[K]): Promise<Accepted<Bodies[K]>>
  /** The newest valid value that `pub` published of this kind under this key. */
  get<K extends Kind>(kind: K, pub: NodeId, key: string): Accepted<Bodies[K]> | undefined
  /** Every stored value of a kind, read in pages, so that a large graph never lies in memory whole. */
  entries<K extends Kind>(kind: K): Iterable<Accepted<Bodies[K]>>
  /** Calls `listener` for each newly accepted value, own ones included. @returns a function that ends the watch */
  watch<K extends Kind>(kind: K, listener: (value: Accepted<Bodies[K]>) => void): () => void
  /** Takes over an incoming WebSocket at `/gun`. */
  accept(socket: Socket): void
  /** What happened so far: links, messages taken and refused by reason. */
  stats(): GraphStats
  start(): Promise<void>
  /** Ends every timer and link within a second. */
  close(): Promise<void>
}

export interface GraphStats {
  links: { url: string | undefined; member: NodeId | undefined; inSync: boolean }[]
  accepted: number
  refused: Record<string, number>
}
