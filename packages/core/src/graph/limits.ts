/** Caps on everything that comes over a link. Sizes in bytes unless they say characters; times in milliseconds. */
export const limits = {
  /** Characters of one WebSocket message. */
  text: 2 << 20,
  /** GUN messages in one array. */
  batch: 1000,
  /** Souls in one `put`, keys in one of its nodes, values in all of them. */
  souls: 512,
  keys: 512,
  values: 512,
  /** Characters of an id, a soul and a key. */
  id: 64,
  soul: 200,
  key: 200,
  /** Values in one reply or page of values. */
  page: 256 << 10,
  /** Links at once; one more displaces the unproven one that has been quiet longest, or is turned away. */
  links: 512,
  /** Received but not yet handled, of one link. */
  inbox: 4 << 20,
  /** Waiting to be sent: from `behind` on a member's link is fed by sums only, at `queued` any link is cut. */
  behind: 4 << 20,
  queued: 16 << 20,
  /** A link without a proof of membership gets less. */
  strangerQueued: 4 << 20,
  /** `get` requests of one link that wait for their reply. */
  gets: 256,
  /** What a link may do before and without a proof of membership: messages, bytes, signature checks, reads. */
  messagesPerSecond: 200,
  messageBurst: 4000,
  bytesPerSecond: 1 << 20,
  byteBurst: 8 << 20,
  checksPerSecond: 200,
  checkBurst: 2000,
  asksPerSecond: 50,
  askBurst: 1000,
  /** Values of public maps that a link without a proof of membership may write, of those all links may. */
  writesPerSecond: 100,
  writeBurst: 2000,
  /** Characters of values of public maps in one message that is said on to everybody, and not to members only. */
  gossip: 64 << 10,
  /** Rules broken by one link before it is cut. */
  strikes: 200,
  /** What one publisher may store; about four times the largest library planned for. */
  quotaValues: 1_000_000,
  quotaBytes: 4 * 2 ** 30,
  /** Publishers with stored values; only an open network could have so many. */
  publishers: 10_000,
  /** Publishers with a heartbeat in memory. */
  heartbeats: 10_000,
} as const
