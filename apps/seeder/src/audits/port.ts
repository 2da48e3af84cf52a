import type { NodeId } from '@eldernode/core'
import type { Door } from './door.ts'

/** An audit that this node failed, of an item that it claims to hold. */
export interface OwnFailure {
  infoHash: string
  piece: number
  /** Milliseconds since 1970. */
  since: number
  auditor: NodeId
}

/** Proves what others claim to hold, and lets others prove what this node claims. */
export interface Audits {
  /** Where auditors of this node are let in. */
  readonly door: Pick<Door, 'assertSelf' | 'metainfo' | 'open'>
  start(): Promise<void>
  /** Audits of this node that are failed now: its copies of these items count for nobody. */
  failures(): OwnFailure[]
  /** The same for whoever collects what is wrong. */
  alarms(): { code: 'audit_failed'; detail: string; infoHash: string; since: number; node: NodeId }[]
  close(): Promise<void>
}
