import { Presence, type Accepted, type Candidate, type Heartbeat, type Living, type NodeId } from '@eldernode/core'
import type { Peer } from '../port.ts'

export interface RosterOptions {
  self: NodeId
  /** Milliseconds that a member counts as live after its last heartbeat (`repair.grace`). */
  graceMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
  /** The operator that a member's certificate names. */
  operatorOf?(id: NodeId): string | undefined
  /** Told when a member came, went, or changed in a way that moves placements, and when there is more to conclude from. */
  changed(): void
  /** Told when a member is heard from for the first time. */
  appeared(id: NodeId): void
  /** Told when a suspected member is heard from again: what else it says may be the same as before. */
  returned(): void
}

/** Who lives: core's presence, with a timer on the next death. */
export class Roster {
  readonly presence: Presence
  readonly #options: RosterOptions
  #timer: NodeJS.Timeout | undefined
  #wasSettled = false
  #closed = false

  constructor(options: RosterOptions) {
    this.#options = options
    this.presence = new Presence(options)
  }

  get size(): number {
    return this.presence.size
  }

  /** The live members as placement weighs them. */
  candidates(): Candidate[] {
    return [...this.presence.live()]
  }

  peers(): Peer[] {
    return [...this.presence.values()].map((member) => this.#peer(member))
  }

  get(id: NodeId): Peer | undefined {
    const member = this.presence.get(id)
    return member && this.#peer(member)
  }

  /** Takes a heartbeat that arrived now; an older one than is known changes nothing. */
  see(heartbeat: Pick<Accepted<Heartbeat>, 'pub' | 'ts' | 'body'>): void {
    if (this.#closed) return
    const wasSuspected = this.presence.isSuspected(heartbeat.pub)
    const sight = this.presence.see(heartbeat)
    if (sight === 'appeared') this.#options.appeared(heartbeat.pub)
    else if (wasSuspected && sight !== 'old') this.#options.returned()
    this.#look(sight === 'appeared' || sight === 'moved')
    this.#timer ??= this.#plan()
  }

  /** Takes a heartbeat that was refused for its time. */
  refused(id: NodeId, ts: number): void {
    if (this.#closed) return
    this.presence.refused(id, ts)
    this.#look(false)
  }

  /** Drops a member that is none any more. */
  forget(id: NodeId): void {
    if (this.presence.forget(id)) this.#options.changed()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** What was put off until there is more to conclude from is due then, and nothing else would tell of it. */
  #look(changed: boolean): void {
    const isSettled = this.presence.isSettled()
    if (changed || isSettled !== this.#wasSettled) this.#options.changed()
    this.#wasSettled = isSettled
  }

  #peer({ id, heartbeat, lastSeen }: Living): Peer {
    const { now, clock } = this.#options
    const seen = Math.round(now() - (clock() - lastSeen))
    return { id, heartbeat, lastSeen: seen, suspected: this.presence.isSuspected(id) }
  }

  #plan(): NodeJS.Timeout | undefined {
    const wait = this.presence.nextDeath()
    return wait === undefined ? undefined : setTimeout(() => this.#bury(), Math.max(Math.ceil(wait), 1_000))
  }

  #bury(): void {
    const dead = this.presence.bury()
    this.#timer = this.#plan()
    if (dead.length > 0) this.#options.changed()
  }
}
