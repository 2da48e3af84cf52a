import { candidate, type Accepted, type Candidate, type Heartbeat, type NodeId } from '@eldernode/core'
import type { Peer } from '../port.ts'

export interface RosterOptions {
  /** Milliseconds that a member counts as live after its last heartbeat (`repair.grace`). */
  graceMs: number
  now: () => number
  /** Told when a member came, went, or changed in a way that moves placements. */
  changed(): void
  /** Told when a member is heard from for the first time. */
  appeared(id: NodeId): void
}

interface Member extends Omit<Peer, 'suspected'> {
  candidate: Candidate
}

/** A member that missed three heartbeats. */
const suspectedAfterMs = 45_000

/**
 * What placement depends on. Free room changes with every copy, so that only its order of magnitude counts here: an
 * item that found no room is looked at again when the room has doubled, or the next time that anything else changes.
 */
const standingKey = ({ zone, operator, state, weight, free }: Candidate): string =>
  JSON.stringify([zone, operator, state, weight, Math.floor(Math.log2(free + 1))])

/** Who lives, as their heartbeats tell; in memory only, as heartbeats are. */
export class Roster {
  readonly #options: RosterOptions
  readonly #members = new Map<NodeId, Member>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: RosterOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#members.size
  }

  /** The live members as placement weighs them. */
  candidates(): Candidate[] {
    return [...this.#members.values()].map((member) => member.candidate)
  }

  peers(): Peer[] {
    return [...this.#members.values()].map((member) => this.#peer(member))
  }

  get(id: NodeId): Peer | undefined {
    const member = this.#members.get(id)
    return member && this.#peer(member)
  }

  /** Takes a heartbeat; an older one than is known changes nothing. */
  see({ pub: id, ts, body: heartbeat }: Pick<Accepted<Heartbeat>, 'pub' | 'ts' | 'body'>): void {
    const known = this.#members.get(id)
    const now = this.#options.now()
    if (this.#closed || ts <= now - this.#options.graceMs || (known && known.lastSeen >= ts)) return
    const { zone, operator, state, capacity } = heartbeat
    const standing = { zone, operator, state, capacity: capacity.bytes, free: capacity.free }
    // A clock ahead of ours must not make a member live longer than the grace time.
    const member = { id, heartbeat, lastSeen: Math.min(ts, now), candidate: candidate(id, standing) }
    this.#members.set(id, member)
    if (known === undefined) this.#options.appeared(id)
    if (known === undefined || standingKey(known.candidate) !== standingKey(member.candidate)) this.#options.changed()
    this.#timer ??= this.#plan()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #peer({ id, heartbeat, lastSeen }: Member): Peer {
    return { id, heartbeat, lastSeen, suspected: this.#options.now() - lastSeen > suspectedAfterMs }
  }

  #plan(): NodeJS.Timeout | undefined {
    const oldest = Math.min(...[...this.#members.values()].map(({ lastSeen }) => lastSeen))
    if (oldest === Infinity) return undefined
    const wait = oldest + this.#options.graceMs - this.#options.now()
    return setTimeout(() => this.#expire(), Math.max(wait, 1_000))
  }

  #expire(): void {
    const deadline = this.#options.now() - this.#options.graceMs
    const before = this.#members.size
    for (const { id, lastSeen } of this.#members.values()) if (lastSeen <= deadline) this.#members.delete(id)
    this.#timer = this.#plan()
    if (this.#members.size < before) this.#options.changed()
  }
}
