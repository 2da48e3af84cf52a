import { ENVELOPE_LIMITS, MAX_CLOCK_SKEW, open } from '../envelope/index.ts'
import type { Envelope } from '../envelope/index.ts'
import { EldernodeError } from '../errors.ts'
import { denialSchema } from '../denials/index.ts'
import { grantSchema } from '../encryption/index.ts'
import { holdingsSchema } from '../holdings/index.ts'
import type { NodeId, Verifier } from '../identity/index.ts'
import { manifestSchema } from '../manifest/index.ts'
import { certificateSchema, successionSchema } from '../membership/index.ts'
import type { Membership } from '../membership/index.ts'
import { heartbeatSchema } from '../presence/index.ts'
import { auditResultSchema, isAbout, readAuditKey } from '../proof/index.ts'
import type { Accepted, Bodies, Entry, Kind } from './port.ts'
import type { Refuse } from './rebuild.ts'
import { keyFits, layouts, parseSoul } from './souls.ts'
import type { Place } from './souls.ts'
import { supersedes } from './supersedes.ts'
import type { Candidate } from './wire/message.ts'

/** The schema of each kind's body. */
export const bodySchemas = {
  m: manifestSchema,
  h: holdingsSchema,
  hb: heartbeatSchema,
  g: grantSchema,
  a: auditResultSchema,
  p: certificateSchema,
  d: denialSchema,
  o: successionSchema,
} as const

/** A value that passed: as it is stored and as the rest of the node sees it. */
export interface Admitted {
  entry: Entry
  accepted: Accepted
}

/** In an open network anybody is a member. */
const mostOutOfTime = 10_000

export interface GuardOptions {
  network: string
  membership: Membership
  verifier: Verifier
  now: () => number
  /** What already lies in a value's place, stored or about to be. */
  present(soul: string, key: string): Entry | undefined
  /** Whether the publisher of a new value still has room for this many bytes more. */
  hasRoom(place: Place, bytes: number): boolean
  /** Told of a member's heartbeat that is refused because its time lies too far from this machine's clock. */
  outOfTime(pub: NodeId, ts: number): void
}

/** Where values come from. */
export interface Source {
  /**
   * A link to a present member, or one that the operator configured: it may hand on what its signer could no longer
   * sign today. A stranger could have had that backdated.
   */
  trusted: boolean
  /** Takes one signature check from the link's allowance; `false` when it is used up. */
  maySpendCheck(): boolean
  refuse: Refuse
}

/**
 * The last check before a value is believed. Cheapest first, so that a flood of bad values costs little: place, size,
 * clock, what is stored already, membership, quota, and only then the signature and the schema.
 */
export class Guard {
  readonly #options: GuardOptions
  /** The last heartbeat of each member that was out of time: links bring it one after the other. */
  readonly #outOfTime = new Map<NodeId, number>()

  constructor(options: GuardOptions) {
    this.#options = options
  }

  /** @returns the values that passed; at once when the verifier answers at once. Order is kept. */
  admit(candidates: readonly Candidate[], source: Source): Admitted[] | Promise<Admitted[]> {
    const outcomes = candidates.map((candidate) => this.#check(candidate, source))
    const waiting = outcomes.some((outcome) => outcome instanceof Promise)
    return waiting
      ? Promise.all(outcomes.map(async (outcome) => outcome)).then(present)
      : present(outcomes as (Admitted | undefined)[])
  }

  #check(candidate: Candidate, source: Source): Admitted | undefined | Promise<Admitted | undefined> {
    const { soul, key, state, value } = candidate
    const { network, verifier, now } = this.#options
    const place = parseSoul(soul)
    if (place?.network !== network) return source.refuse('soul')
    if (!keyFits(place, key)) return source.refuse('key')
    if (value.length > ENVELOPE_LIMITS[place.kind]) return source.refuse('size')
    if (place.kind === 'hb' && Math.abs(state - now()) > MAX_CLOCK_SKEW) {
      return this.#refuseOutOfTime(candidate, place, source)
    }
    if (state - now() > MAX_CLOCK_SKEW) return source.refuse('future')
    const stored = this.#options.present(soul, key)
    // The same value again is how gossip ends; it was verified when it was stored.
    if (stored?.ts === state && stored.value === value) return undefined
    if (stored !== undefined && !supersedes({ ts: state, value }, stored)) return source.refuse('stale')
    if (place.pub !== undefined && !this.#mayHold(place, state, source)) return undefined
    // Who never was a member holds nothing that could be audited: this bounds what one auditor may store.
    if (place.kind === 'a' && !this.#isKnownHolder(key)) return source.refuse('holder')
    if (!this.#options.hasRoom(place, value.length - (stored?.value.length ?? 0))) return source.refuse('quota')
    if (!source.maySpendCheck()) return source.refuse('check_rate')
    try {
      const opened = open(value, { network, now: now() }, verifier)
      if (!(opened instanceof Promise)) return this.#judge(opened, place, candidate, source)
      return opened.then(
        (envelope) => this.#judge(envelope, place, candidate, source),
        (error: unknown) => source.refuse(reasonOf(error)),
      )
    } catch (error) {
      return source.refuse(reasonOf(error))
    }
  }

  #judge(envelope: Envelope, place: Place, candidate: Candidate, source: Source): Admitted | undefined {
    const { soul, key, state, value } = candidate
    const { kind, pub, ts } = envelope
    if (ts !== state) return source.refuse('state')
    if (kind !== place.kind) return source.refuse('kind')
    if (place.pub === undefined ? !this.#maySignAsOwner(envelope, key, source) : pub !== place.pub) {
      return source.refuse('signer')
    }
    const parsed = bodySchemas[kind].safeParse(envelope.body)
    if (!parsed.success) return source.refuse('schema')
    if (!bodyFits(kind, parsed.data, place, key)) return source.refuse('body')
    return {
      entry: { soul, key, ts, value },
      accepted: { kind, pub, ts, soul, key, hidden: place.hidden, body: parsed.data },
    }
  }

  /** Most members' heartbeats out of time mean that this machine's clock is wrong. A stranger may replay old ones. */
  #refuseOutOfTime({ state, value }: Candidate, { pub }: Place, source: Source): undefined | Promise<undefined> {
    const { network, verifier, membership, now, outOfTime } = this.#options
    const reason = state > now() ? 'future' : 'old_heartbeat'
    const isTold = pub !== undefined && source.trusted && membership.isMember(pub, 'any', now())
    if (!isTold || this.#outOfTime.get(pub) === state || !source.maySpendCheck()) return source.refuse(reason)
    if (this.#outOfTime.size >= mostOutOfTime) this.#outOfTime.clear()
    this.#outOfTime.set(pub, state)
    const judge = ({ kind, ts, pub: signer }: Envelope): undefined => {
      if (kind === 'hb' && ts === state && signer === pub) outOfTime(pub, ts)
      return source.refuse(reason)
    }
    try {
      const opened = open(value, { network, now: state }, verifier)
      if (!(opened instanceof Promise)) return judge(opened)
      return opened.then(judge, (error: unknown) => source.refuse(reasonOf(error)))
    } catch (error) {
      return source.refuse(reasonOf(error))
    }
  }

  #mayHold({ kind, pub }: Place, ts: number, { trusted, refuse }: Source): boolean {
    const { role, stored } = layouts[kind]
    if (pub === undefined || role === 'owner') return false
    const standing = this.#options.membership.standing(pub, role, ts, this.#options.now())
    if (standing === 'member' || (standing === 'former' && trusted && stored)) return true
    refuse(standing === 'former' ? 'revoked' : 'stranger')
    return false
  }

  #isKnownHolder(key: string): boolean {
    const holder = readAuditKey(key)?.holder
    return holder !== undefined && this.#options.membership.knows(holder)
  }

  #maySignAsOwner({ kind, pub, ts }: Envelope, key: string, { trusted }: Source): boolean {
    const { membership } = this.#options
    if (kind === 'o') return membership.maySucceed(pub, Number(key))
    const standing = membership.ownership(pub, ts)
    return standing === 'member' || (standing === 'former' && trusted)
  }
}

/** Whether a body speaks about what its key names, and lies where its access says. */
export function bodyFits(kind: Kind, body: Bodies[Kind], place: Place, key: string): boolean {
  switch (kind) {
    case 'm': {
      const { infoHash, access } = body as Bodies['m']
      return infoHash === key && place.hidden === (access !== 'public')
    }
    case 'g': {
      const { infoHash, reader } = body as Bodies['g']
      return `${infoHash}.${reader}` === key
    }
    case 'd':
      return (body as Bodies['d']).infoHash === key
    case 'p':
      return (body as Bodies['p']).member === key
    case 'h': {
      const { held, releasing, refused } = body as Bodies['h']
      return [held, releasing, refused].every((list) => list.every((hash) => hash.slice(0, 2) === place.bucket))
    }
    case 'a':
      return isAbout(body as Bodies['a'], key)
    case 'hb':
    case 'o':
      return true
  }
}

function present(outcomes: readonly (Admitted | undefined)[]): Admitted[] {
  return outcomes.filter((outcome) => outcome !== undefined)
}

function reasonOf(error: unknown): string {
  return error instanceof EldernodeError ? error.code : 'envelope'
}
