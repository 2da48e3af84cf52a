import type { Access, Heartbeat, ItemFile, NodeId, View } from '@eldernode/core'
import type { Standing } from './health/port.ts'

export interface ReplicationStats {
  /** Items waiting for their turn or for another try. */
  queued: number
  running: number
  /** Items with damaged pieces that are being mended, or wait to be. */
  mending: number
  /** Items and bytes fetched, verified and committed since start. */
  fetched: number
  fetchedBytes: number
  /** Copies given up since start because the network has enough others. */
  released: number
  releasedBytes: number
  /** Failed tries since start, by error code. */
  failures: Record<string, number>
  /** Members whose last heartbeat is younger than the grace time, this node included. */
  live: number
  /** Whether the links are in step, so that fetching has begun. */
  inStep: boolean
  /** Whether the quiet time after the start is over, in which nothing is repaired and no member counts as gone. */
  settled: boolean
  /** This node publishes nothing: its clock lies more than 5 minutes behind what it signed before. */
  clockBehind: boolean
  /** Most members' clocks lie more than 4 minutes from this node's. */
  clockOff: boolean
}

/** What listeners are told of a copy that this node gave up. */
export interface ReleaseEvent {
  type: 'released'
  infoHash: string
  owner: string
  access: Access
  at: number
  /** Bytes. */
  data: { size: number }
}

/** A member that was heard from. Times in milliseconds since 1970. */
export interface Peer {
  id: NodeId
  heartbeat: Heartbeat
  lastSeen: number
  /** Three of its heartbeats were missed: it is the last to be asked for bytes, and still counts for placement. */
  suspected: boolean
}

/** From `start` up to but not including `end`. */
export interface ByteRange {
  start: number
  end: number
}

/** Bytes of an item that is on its way here. */
export interface RemoteBytes {
  /** What of the asked bytes was here already. */
  readonly found: 'all' | 'some' | 'none'
  /** Whether somebody else had the item fetched already. */
  readonly shared: boolean
  /** As `FileHandle.read`; waits for what is not here yet. @throws TransferError, FetchFailedError; the abort reason */
  read(target: Buffer, length: number, position: number): Promise<number>
  close(): Promise<void>
}

/** A file of an item that this node does not hold, to be read from those who do while it arrives. */
export interface RemoteFile {
  /** The item's. */
  infoHash: string
  name: string
  createdAt: number
  owner: string
  access: Access
  /** Whether the item has no other file. */
  alone: boolean
  /** The item's files, the first ones when there are many. */
  files: readonly ItemFile[]
  /** Absent when the item has no file of that path. */
  file: ItemFile | undefined
  /**
   * Resolves when the first of these bytes are here.
   * @throws TransferError and its kinds, FetchFailedError; the abort reason
   */
  open(ranges: readonly ByteRange[], signal: AbortSignal): Promise<RemoteBytes>
}

/** Keeps this node's share of the network's items on its disk, and tells the others what it holds. */
export interface Replication extends Standing {
  /** Sends the first heartbeat, serves what the library holds, and begins to reconcile. */
  start(): Promise<void>
  /** Ends the transfer and the refusal of an item whose bytes came another way, so that it can be seeded. */
  claim(infoHash: string): Promise<void>
  /**
   * Keeps an item away for a day, whatever placement says: the operator removes this node's copy. A restart does not
   * forget it. Resolves once no transfer of the item is left.
   */
  leave(infoHash: string): Promise<void>
  /** Ends all traffic of an item that the library says is paused. Resolves once none is left. */
  pause(infoHash: string): Promise<void>
  /** Whether anybody's manifest of the item is live. */
  isPublished(infoHash: string): boolean
  /**
   * The file at `path`, or the first, of an item (infohash or SHA-256) that is not held here and may be read from others.
   * @returns `undefined` when nobody published it, or it may not be fetched
   */
  remote(id: string, path?: string): Promise<RemoteFile | undefined>
  /** Has one item decided on anew, after something happened to its bytes here. */
  touch(infoHash: string): void
  /** Has every item here decided on anew, after the disk with the items went away or came back. */
  storageChanged(): void
  /**
   * How many members hold an item, this one included. In the first minute after a start those count who said so before,
   * later only those that live.
   */
  copies(infoHash: string): number
  /** What this node knows of the network at this moment: ask anew rather than keep it. */
  view(): View
  peers(): Peer[]
  /** Whether what is due by the wall clock may be done for good: it is not known to be wrong, and not too early to know. */
  knowsTime(): boolean
  stats(): ReplicationStats
  /** Ends timers and running transfers; what they had received is discarded. */
  close(): Promise<void>
}
