/** Something that an operator should know of until it is over. */
export interface Alarm {
  /** Stable, such as `below_min` or `audit_failed`. */
  code: string
  /** For people: what it is about, and what to do. */
  detail: string
  /** Milliseconds since 1970. */
  since: number
  infoHash?: string
  /** The node it is about. */
  node?: string
}
