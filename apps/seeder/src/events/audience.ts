import type { EventRecord } from '../library/index.ts'

/** Who listens. `everything`: an administrator. */
export interface Listener {
  owner: string
  everything: boolean
  /** Empty for all types. */
  types: readonly string[]
}

/** Whether an owner has a token that is neither revoked nor expired and is good for that. */
export type Permits = (owner: string, scope: 'events:read' | 'node:admin') => boolean

/** Whether whoever listens may still do so; an administrator's webhook takes an administrator's token. */
export function mayListen({ owner, everything }: Pick<Listener, 'owner' | 'everything'>, permits: Permits): boolean {
  return permits(owner, everything ? 'node:admin' : 'events:read')
}

/** Whether somebody may hear of an event, and wants to. What is not public, imports too, is its owner's business. */
export function hears({ owner, everything, types }: Listener, event: EventRecord): boolean {
  if (types.length > 0 && !types.includes(event.type)) return false
  const isPublic = event.access === 'public' && !event.type.startsWith('import.')
  return everything || isPublic || (owner !== '' && owner === event.owner)
}

/** Whether somebody may know whose an item is. */
export function hearsOwner({ owner, everything }: Listener, itsOwner: string): boolean {
  return everything || (owner !== '' && owner === itsOwner)
}
