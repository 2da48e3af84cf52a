import type { Item, Library } from '../library/index.ts'
import { isDescribable } from '../media/index.ts'
import { ItemTakenError } from './errors.ts'
import type { PublishingServices } from './publish.ts'

type Said = Pick<Item, 'owner' | 'access' | 'about'>

/** @throws ItemTakenError for the ciphertext of a private item: whoever has that is not thereby one of its readers */
export function assertFree(library: Pick<Library, 'record' | 'keys'>, infoHash: string, { owner }: Said): void {
  const held = library.record(infoHash)
  if (held === undefined) return
  const isSecret = library.keys.get(infoHash) !== undefined && held.owner !== owner
  if (held.access === 'private' || (isSecret && held.state === 'retracted')) throw new ItemTakenError(infoHash)
}

/**
 * The bytes were here before. What was retracted, or came from another node, belongs to who publishes it now, as that one
 * wants it; a live item that somebody published here stays that one's.
 */
export function takeOver({ library, id }: Pick<PublishingServices, 'library' | 'id'>, held: Item, said: Said): Item {
  const isNobodys = held.owner === '' && held.publisher !== id
  if (held.state === 'live' && (held.owner === said.owner || !isNobodys)) return held
  const { owner, about } = said
  // Another publisher shows it to everybody.
  const access = held.state === 'live' && held.access === 'public' ? held.access : said.access
  library.about.give(held.infoHash, { owner, access })
  library.about.set(held.infoHash, about)
  const taken = { ...held, owner, access, about }
  // What was found out before went with the retraction.
  if (isDescribable(taken)) library.descriptions.add(held.infoHash)
  return taken
}
