/** This tracker's own key, in its folder. */
export const keyFile = 'node.key'

/** What the follower's thread is told when it starts. */
export interface FollowerSettings {
  /** Holds `node.key`, `graph.db` and `listed`. */
  folder: string
  /** The network owner's public key. */
  owner: string
  /** ws:// or wss:// URLs of `/gun` that are always dialled. */
  peers: readonly string[]
  allowPrivate: boolean
  open: boolean
}

/** Infohashes of five words each that were listed, taken off, denied and allowed again since the last message. */
export interface Changes {
  added: Int32Array<ArrayBuffer>
  removed: Int32Array<ArrayBuffer>
  denied: Int32Array<ArrayBuffer>
  lifted: Int32Array<ArrayBuffer>
}

/** How this tracker stands in the network. */
export interface Standing {
  /** Links to members that proved their key, and those of them that nothing is left to fetch from. */
  links: number
  inStep: number
  /** Whether the network's owner admits this tracker: what is not public is shown to members only. */
  member: boolean
  /** Whether the lists tell all that the network does, as far as it was ever heard of since the start. */
  ready: boolean
  live: number
  denied: number
}

export const nowhere: Standing = { links: 0, inStep: 0, member: false, ready: false, live: 0, denied: 0 }

export type ToFollower = { kind: 'save'; n: number } | { kind: 'stop' }

export type FromFollower =
  | { kind: 'changes'; changes: Changes }
  | { kind: 'standing'; standing: Standing }
  | { kind: 'saved'; n: number }
  | { kind: 'fault'; what: string; error: string }
  | { kind: 'stopped' }

/** What processes that keep the lists are told: to begin with the file, what has changed since, and how it stands. */
export type News = { kind: 'anew' } | { kind: 'changes'; changes: Changes } | { kind: 'standing'; standing: Standing }
