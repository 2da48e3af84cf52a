import type { Audience, Item, Rights } from '../library/index.ts'
import type { Caller, Viewer } from './caller.ts'

/**
 * `see`: finds it in lists and searches, and reads it; `read`: reads it by its id; `hidden`: must not learn that it
 * exists. What is private is decrypted for `see`, and for nobody else.
 */
export type Sight = 'see' | 'read' | 'hidden'

/**
 * The one rule of who may see an item. Members and peers need the stored bytes of every item to keep copies; those of a
 * private one are encrypted.
 */
export function may({ caller, member, peer }: Viewer, item: Rights & Pick<Item, 'infoHash'>): Sight {
  if (item.access === 'public' || caller?.admin === true) return 'see'
  if (item.access === 'unlisted') return owns(caller, item) ? 'see' : 'read'
  if (caller?.can('media:read-private') === true && (owns(caller, item) || caller.reads(item.infoHash))) return 'see'
  return member !== undefined || peer === true ? 'read' : 'hidden'
}

/** Who gets the plaintext of an encrypted item, whatever its access: its owner, its readers and administrators. */
export function mayDecrypt(viewer: Viewer, item: Rights & Pick<Item, 'infoHash'>): boolean {
  return may({ caller: viewer.caller }, { ...item, access: 'private' }) === 'see'
}

/** Whether the item is the caller's own, or the caller may do everything. Other nodes' items are the operator's. */
export function mayChange({ caller }: Viewer, item: Pick<Rights, 'owner'>): boolean {
  return caller !== undefined && (caller.admin || owns(caller, item))
}

/** For whom lists are made that this viewer gets; undefined for all items. */
export function audienceOf({ caller }: Viewer): Audience | undefined {
  if (caller?.admin === true) return undefined
  return { owner: caller?.owner ?? '', readsPrivate: caller?.can('media:read-private') === true }
}

function owns(caller: Caller | undefined, { owner }: Pick<Rights, 'owner'>): boolean {
  return caller !== undefined && caller.owner !== '' && caller.owner === owner
}
