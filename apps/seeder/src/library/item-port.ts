import type { About, Access, ItemFile, NodeId, Replicas } from '@eldernode/core'

/** One published item that this node holds whole: every byte is on disk and was verified. */
export interface Item {
  infoHash: string
  name: string
  /** Bytes of all files together. */
  size: number
  pieceLength: number
  files: ItemFile[]
  /** SHA-256 of the bytes, or of the canonical `[path, size, sha256]` list when there is more than one file. */
  sha256: string
  publisher: NodeId
  replicas: Replicas
  /** Milliseconds since 1970. */
  createdAt: number
  /** `retracted` items are not served; their bytes go after `purgeAfter`. */
  state: 'live' | 'retracted'
  purgeAfter?: number
  /** The owner of the token it was published with; empty for the operator's and for items of other nodes. */
  owner: string
  access: Access
  about: About
}

/** Whose an item is, and who may see it. */
export type Rights = Pick<Item, 'owner' | 'access'>

/** One file of an item held, and what serving it needs to know of the item. */
export interface HeldFile extends Rights {
  /** The item's. */
  infoHash: string
  name: string
  createdAt: number
  state: Item['state']
  /** Whether the item has no other file. */
  alone: boolean
  /** Absent when the item has no file of that path. */
  file: ItemFile | undefined
}

/** As much of an item as reads its row alone. */
export interface ItemHead {
  infoHash: string
  publisher: NodeId
  state: Item['state']
}

/**
 * What becomes of an item's bytes. `held`: whole and verified. `patchy`: whole but for pieces known to be wrong, which
 * are to be mended in place; the others may be served. `suspect`: waits for `verify`. `damaged`: lost, wholly or in part.
 */
export type Condition = 'held' | 'patchy' | 'suspect' | 'damaged'

/** An item as the swarm serves it, all its files compared just now. */
export interface OpenItem {
  infoHash: string
  metainfo: Uint8Array
  /** In item order; absolute paths. */
  files: { path: string; size: number }[]
  /** Pieces known to be wrong. They must not be sent. */
  bad: number[]
}

/** What is known of each piece of an item, by its number. */
export interface Pieces {
  /** Seconds since 1970 when it was last found right, by itself or with its whole item; 0 when that is not known. */
  verifiedAt: Uint32Array
  /** Pieces found wrong and not mended yet, in rising order. They must not be sent. */
  bad: number[]
}

/** What the operator set for one item. */
export interface Controls {
  /** No peer is sent or asked for anything of it. What is held stays held. */
  paused: boolean
  /** Bytes per second, 0 for no limit; as for every item when absent. */
  uploadLimit?: number
  downloadLimit?: number
}
