import type { NodeId } from '../identity/index.ts'
import { candidate } from '../placement/index.ts'
import type { Candidate } from '../placement/index.ts'
import { Clocks } from './clocks.ts'
import type { Heartbeat } from './schema.ts'

/** Milliseconds without a heartbeat, three of them, after which a member is suspected. */
export const SUSPECTED_AFTER = 45_000

/** Milliseconds after a start, or after a sleep, for which what is not seen may only not have been heard yet. */
export const SETTLES_AFTER = 60_000

/**
 * Who was cut off comes back one by one, as each one's next heartbeat arrives: for so many milliseconds from the first
 * one on nothing is concluded from who is not back yet. Not again before the second time is over, or a node that comes
 * and goes would keep the others from repairing.
 */
const gathering = 20_000
const betweenGatherings = 80_000

export interface PresenceOptions {
  self: NodeId
  /** Milliseconds after its last heartbeat for which a member counts as live (`repair.grace`). */
  graceMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Milliseconds of a clock that nobody sets: a wall clock that is put right must not make everybody look dead. */
  clock: () => number
  /** The operator that a member's certificate names; without one its heartbeat's word counts. */
  operatorOf?(id: NodeId): string | undefined
}

/** A member that lives. */
export interface Living {
  id: NodeId
  heartbeat: Heartbeat
  /** The signed time of the heartbeat: by the member's own clock. */
  ts: number
  /** By `clock`. */
  lastSeen: number
  candidate: Candidate
}

/** What a heartbeat tells: a member came, changed in a way that moves placements, or neither. */
export type Sight = 'appeared' | 'moved' | 'same' | 'old'

/**
 * What placement depends on. Free room changes with every copy, so that only its order of magnitude counts here: an
 * item that found no room is looked at again when the room has doubled, or the next time that anything else changes.
 */
const sameStanding = (a: Candidate, b: Candidate): boolean =>
  a.zone === b.zone &&
  a.operator === b.operator &&
  a.state === b.state &&
  a.weight === b.weight &&
  Math.floor(Math.log2(a.free + 1)) === Math.floor(Math.log2(b.free + 1))

/**
 * Who lives, from heartbeats. A member was last seen when a newer heartbeat arrived, whatever its clock says, so that
 * clocks minutes apart do no harm. It keeps no timer: ask `nextDeath` when to call `bury`. Memory only, as heartbeats are.
 */
export class Presence {
  readonly #options: PresenceOptions
  readonly #members = new Map<NodeId, Living>()
  /** The signed time of everybody's last heartbeat, also of those who do not live. */
  readonly #heard = new Map<NodeId, number>()
  readonly #clocks = new Clocks()
  #live: Candidate[] | undefined
  #listeningSince: number
  #gatheringSince = -Infinity
  #awakeAt: number

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#listeningSince = options.clock()
    this.#awakeAt = this.#listeningSince
  }

  get size(): number {
    return this.#members.size
  }

  /** Takes a heartbeat that arrives now, own ones too; an older one than is known changes nothing. */
  see({ pub: id, ts, body }: { pub: NodeId; ts: number; body: Heartbeat }): Sight {
    const clock = this.#tick()
    if (id !== this.#options.self) this.#clocks.hear(id, ts, this.#options.now(), clock)
    const ahead = ts - this.#options.now()
    const known = this.#members.get(id)
    const before = this.#heard.get(id)
    if (before !== undefined && before >= ts) return 'old'
    this.#heard.set(id, ts)
    // The first may be an old one that a neighbour still had: it counts from its own time, and the next one corrects that.
    const lastSeen = before === undefined ? clock + Math.min(ahead, 0) : clock
    if (lastSeen <= clock - this.#options.graceMs) return 'old'
    const next = this.#candidate(id, body, known)
    this.#members.set(id, { id, heartbeat: body, ts, lastSeen, candidate: next })
    if (next !== known?.candidate) this.#live = undefined
    if (known === undefined) {
      if (clock - this.#gatheringSince >= betweenGatherings) this.#gatheringSince = clock
      return 'appeared'
    }
    return sameStanding(known.candidate, next) ? 'same' : 'moved'
  }

  /** Takes the time of a member's heartbeat that was refused because it lies too far from this node's clock. */
  refused(id: NodeId, ts: number): void {
    if (id !== this.#options.self) this.#clocks.hear(id, ts, this.#options.now(), this.#tick())
  }

  /** Drops a member at once: it is none any more. @returns whether it lived */
  forget(id: NodeId): boolean {
    this.#live = undefined
    this.#heard.delete(id)
    this.#clocks.forget(id)
    return this.#members.delete(id)
  }

  /** Drops those whose grace time is over. @returns who they are */
  bury(): NodeId[] {
    const deadline = this.#tick() - this.#options.graceMs
    const dead = [...this.#members.values()].filter(({ lastSeen }) => lastSeen <= deadline).map(({ id }) => id)
    for (const id of dead) this.#members.delete(id)
    if (dead.length > 0) this.#live = undefined
    return dead
  }

  /** Milliseconds until `bury` finds the next one if no heartbeat comes before; `undefined` when nobody lives. */
  nextDeath(): number | undefined {
    let oldest = Infinity
    for (const { lastSeen } of this.#members.values()) oldest = Math.min(oldest, lastSeen)
    return oldest === Infinity ? undefined : Math.max(0, oldest + this.#options.graceMs - this.#tick())
  }

  get(id: NodeId): Living | undefined {
    return this.#members.get(id)
  }

  values(): Iterable<Living> {
    return this.#members.values()
  }

  /** Who lives, as placement weighs them. The same array until somebody came, went or said something new. */
  live(): readonly Candidate[] {
    this.#live ??= [...this.#members.values()].map((member) => member.candidate)
    return this.#live
  }

  /** Whether three heartbeats of a member were missed; one that does not live is. */
  isSuspected(id: NodeId): boolean {
    const member = this.#members.get(id)
    return member === undefined || this.#options.clock() - member.lastSeen > SUSPECTED_AFTER
  }

  /**
   * Whether this node has listened for long enough, and with a clock that is right enough, to miss somebody. Who hears
   * nobody else is more likely to be cut off, or to refuse all for a clock of its own, than to be the last.
   */
  isSettled(): boolean {
    const clock = this.#tick()
    const isGathering = clock - this.#gatheringSince < gathering
    const isAlone = this.#members.size <= Number(this.#members.has(this.#options.self))
    return !isAlone && !isGathering && clock - this.#listeningSince >= SETTLES_AFTER && !this.isClockOff()
  }

  /**
   * Whether most of the members that were heard in the last minute signed more than 4 minutes from this node's clock:
   * then it is rather this clock that is wrong. Of two nodes nobody can say which one's is.
   */
  isClockOff(): boolean {
    const { known, far } = this.#clocks.compare(this.#tick())
    return far * 2 > known
  }

  /**
   * Whether what is due by the wall clock may be done for good: the others' clocks agree with this node's, or after a
   * minute nobody was heard from, so that there is none to compare it with.
   */
  knowsTime(): boolean {
    const clock = this.#tick()
    const { known, far } = this.#clocks.compare(clock)
    return known > 0 ? far * 2 <= known : clock - this.#listeningSince >= SETTLES_AFTER
  }

  /**
   * A process that was stopped for a while, or a machine that slept, heard nobody in that time: it did not pass for
   * the others. This node's own heartbeats come every 15 s, so that a longer silence is its own.
   */
  #tick(): number {
    const clock = this.#options.clock()
    const slept = clock - this.#awakeAt
    this.#awakeAt = clock
    if (slept > SUSPECTED_AFTER) {
      for (const [id, member] of this.#members) this.#members.set(id, { ...member, lastSeen: member.lastSeen + slept })
      this.#listeningSince = clock
    }
    return clock
  }

  #candidate(id: NodeId, { zone, operator, state, capacity }: Heartbeat, known: Living | undefined): Candidate {
    const standing = {
      zone,
      operator: this.#options.operatorOf?.(id) ?? operator,
      state,
      capacity: capacity.bytes,
      free: capacity.free,
    }
    return candidate(id, standing, known?.candidate)
  }
}
