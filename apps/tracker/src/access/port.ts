import type { Announce, Answer, Counts } from '../swarm/index.ts'

/** Nobody's key: what every announce carries where no passkey is asked for. */
export const noKey = 0

/** A passkey that is not known here, or none where one is asked for. */
export const wrongKey = -1

/** Some passkey, while it is not known yet which ones hold. */
export const unsureKey = -2

/**
 * Who may announce what. Everything it asks is in memory, and each question takes the same time however much is listed and
 * however many keys there are. In open mode nothing is looked up.
 */
export interface Gate {
  /** The number of a passkey from a path, `noKey` where none is asked for, `wrongKey` or `unsureKey`. */
  keyOf(passkey: string): number
  /** Why this key may do nothing here, in words for the client; empty when it may. */
  refusalOfKey(key: number): string
  /** Why this torrent is not served, to this key, in words for the client; empty when it is. */
  refusalOf(infoHash: Int32Array, key: number): string
}

/** The way into the swarms, past the gate: what transports and signalling call instead of the swarms themselves. */
export interface Entrance {
  /** What is refused is told in `answer.refusal`, as with a full tracker. */
  announce(word: Announce, answer: Answer): void
  /** Zeros, as for a torrent that nobody has, where the key may not know. */
  counts(infoHash: Int32Array, key: number, into: Counts): void
}

/** A set of infohashes, each five big-endian words. Whoever knows what is live or denied fills one. */
export interface Listing {
  readonly size: number
  has(infoHash: Int32Array): boolean
  /** @returns whether it was not there yet */
  add(infoHash: Int32Array): boolean
  /** @returns whether it was there */
  remove(infoHash: Int32Array): boolean
}
