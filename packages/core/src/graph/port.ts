import type { Denial } from '../denials/index.ts'
import type { Grant } from '../encryption/index.ts'
import type { Holdings } from '../holdings/index.ts'
import type { Certificate, Role, Succession } from '../membership/index.ts'
import type { Manifest } from '../manifest/index.ts'
import type { Heartbeat } from '../presence/index.ts'
import type { AuditResult } from '../proof/index.ts'
import type { Kind } from '../envelope/index.ts'
import type { CompatMaps } from './compat/port.ts'
import type { NodeId } from '../identity/index.ts'

export type { Kind }
export type * from './compat/port.ts'

/** One signed value as it lies in the graph. `ts` is the signed time in milliseconds; `value` the envelope's JSON text. */
export interface Entry {
  soul: string
  key: string
  ts: number
  value: string
}

/**
 * Where entries live for good. The store is the truth and GUN only the wire: `upsert` keeps an entry only when it
 * supersedes the stored one (a greater `ts`; of two values with one `ts` the greater bytes), so that all nodes agree.
 * A batch is kept whole or not at all.
 */
export interface GraphStore {
  /** Once it returns or resolves the batch survives a crash of the process, and with `durable` one of the machine. */
  upsert(entries: readonly Entry[], durable: boolean): void | Promise<void>
  get(soul: string, key: string): Entry | undefined
  /** Entries of one soul in key order, after `afterKey`, at most `limit`. */
  page(soul: string, afterKey: string, limit: number): Entry[]
  /** The keys of one soul in order, after `afterKey`, at most `limit`; with `text`, of values that contain it. */
  keys(soul: string, afterKey: string, limit: number, text?: string): string[]
  /** The greatest time among one soul's values; 0 when there are none. */
  newest(soul: string): number
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
  /** Stops and resumes reading where the platform can; without them a flooding link is cut. */
  pause?(): void
  resume?(): void
  onMessage(listener: (text: string) => void): void
  /** Called once, with the close code (RFC 6455, section 7.4). Also called when the socket is already closed. */
  onClose(listener: (code: number) => void): void
}

export interface DialOptions {
  signal: AbortSignal
  /**
   * The URL comes from a member's heartbeat and not from the operator: the adapter refuses private, loopback and
   * link-local addresses, judged by what the name resolves to at connect time.
   */
  foreign: boolean
}

/** Opens a link to a peer's `/gun`, given as a ws:// or wss:// URL. Rejects when it cannot; the supervisor dials again. */
export type Dial = (url: string, options: DialOptions) => Promise<Socket>

/** A value that passed the guard, its schema, membership and signature. */
export interface Accepted<Body = unknown> {
  kind: Kind
  pub: NodeId
  ts: number
  soul: string
  key: string
  /** Whether only proven members are shown it. */
  hidden: boolean
  body: Body
}

/** The bodies of each kind, as their schemas give them. */
export interface Bodies {
  m: Manifest
  h: Holdings
  hb: Heartbeat
  g: Grant
  a: AuditResult
  p: Certificate
  d: Denial
  o: Succession
}

export interface ManifestFilter {
  pub?: NodeId
  /** Of one publisher only. */
  bucket?: string
  retracted?: boolean
  /** Those that say when they expire; not together with `retracted`. */
  expiring?: boolean
}

/** The network's shared memory as the rest of a node sees it. */
export interface Graph {
  /**
   * Signs `body` with this node's identity, stores it durably and sends it to every link. Certificates and successions
   * are signed by the network owner's identity instead, which only the owner's node was given.
   * Manifests and denials are keyed by infohash, holdings by bucket (two hex digits), grants by infohash, a dot and the
   * reader's hash, audit results by holder, a dot and the bucket, certificates by member id, successions by number; heartbeats have one key and ignore theirs.
   *
   * What is not public is shown to proven members only: manifests by their `access`; holdings of such items by the key
   * `x/` and the bucket; grants unless this node's manifest of the item is public, so that one precedes its grants;
   * denials unless somebody published the item in public.
   * Resolves once the value is durable here, linked or not.
   * @throws InvalidInputError, NotMemberError, NotOwnerError, EnvelopeTooLargeError, GraphClosedError
   * @throws ClockError when the persisted `ts` is more than 5 minutes ahead of this machine's clock
   */
  publish<K extends Kind>(kind: K, key: string, body: Bodies[K]): Promise<Accepted<Bodies[K]>>
  /**
   * The newest valid value that `pub` published of this kind under this key, public or not; what the network's owner
   * signs ignores `pub`.
   */
  get<K extends Kind>(kind: K, pub: NodeId, key: string): Accepted<Bodies[K]> | undefined
  /**
   * Every value of a kind, or those of one publisher, public ones first, read in pages: a large graph never lies in
   * memory whole.
   */
  entries<K extends Kind>(kind: K, pub?: NodeId): Iterable<Accepted<Bodies[K]>>
  /**
   * Who published which item, public or not, by publisher and then by infohash, read in pages and without the manifests themselves.
   * With `retracted` or `expiring` at least those that are: what is said of them is to be asked of `get`. Finding them reads the values
   * of a bucket (two hex digits) at a time.
   */
  manifests(only?: ManifestFilter): Iterable<{ pub: NodeId; infoHash: string }>
  /** The grants that a publisher gave for one item, those of removed readers included. */
  grants(pub: NodeId, infoHash: string): Iterable<Accepted<Grant>>
  /** Whether the network's owner admits `pub` now, in `role` if one is given; in an open network everybody. */
  admits(pub: NodeId, role?: Role): boolean
  /**
   * Those whom the network's owner admits now, alive or not, in `role` if one is given. In an open network everybody
   * who has said anything that this node knows of.
   */
  members(role?: Role): Iterable<NodeId>
  /** Who runs a member, in the owner's word; `undefined` where its certificate does not say. */
  operatorOf(pub: NodeId): string | undefined
  /** The key that now speaks for a lost one's manifests, in the owner's word; `pub` itself when none was named. */
  speakerOf(pub: NodeId): NodeId
  /** Calls `listener` for each newly accepted value, own ones included. @returns a function that ends the watch */
  watch<K extends Kind>(kind: K, listener: (value: Accepted<Bodies[K]>) => void): () => void
  /**
   * Calls `listener` for heartbeats of members that are refused because their time lies more than 5 minutes from this
   * machine's clock. @returns a function that ends the watch
   */
  watchOutOfTime(listener: (pub: NodeId, ts: number) => void): () => void
  /** Takes over an incoming WebSocket at `/gun`. */
  accept(socket: Socket): void
  /** The public maps of other clients, where this node keeps them. */
  readonly compat: CompatMaps | undefined
  /** What happened so far: links, messages taken and refused by reason. */
  stats(): GraphStats
  /** Reads the network's members from the store and begins to dial. */
  start(): Promise<void>
  /** Ends every timer and link within a second. */
  close(): Promise<void>
}

export interface LinkStats {
  /** Set on links that this node dialled. */
  url: string | undefined
  /** The node id at the other end once it proved it; stock GUN clients never do. */
  member: NodeId | undefined
  /** The other side's sums were compared since the link opened and nothing is left to fetch. */
  inSync: boolean
  /** Bytes waiting to be sent. */
  queued: number
}

export interface GraphStats {
  links: LinkStats[]
  /** Foreign values taken since the start. */
  accepted: number
  /** Messages, values and link frames refused since the start, by reason. */
  refused: Record<string, number>
}
