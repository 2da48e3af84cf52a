import { type Scope, scopeSchema } from './scopes.ts'

/** Who a request comes from, by its token. */
export interface Caller {
  /** Whose items it publishes and may change; '' is the node's operator. */
  readonly owner: string
  readonly scopes: ReadonlySet<Scope>
  /** May do everything, whose item it be. */
  readonly admin: boolean
  /** The id of its token; absent for the token in admin.token. */
  readonly token?: string
  /** When its token ends, in milliseconds since 1970. */
  readonly expiresAt?: number
  can(scope: Scope): boolean
  /** Whether it is a reader of that private item. */
  reads(infoHash: string): boolean
}

/** A request as far as rights go: strangers have none of these. */
export interface Viewer {
  readonly caller?: Caller | undefined
  /** The member of the network that signed the request. */
  readonly member?: string | undefined
  /** It asks for stored bytes by an infohash, as peers do, who get them of the swarm all the same. */
  readonly peer?: boolean
}

/** A caller with every scope and no quota: whoever can read admin.token. */
export const operator: Caller = {
  owner: '',
  scopes: new Set(scopeSchema.options),
  admin: true,
  can: () => true,
  reads: () => true,
}
