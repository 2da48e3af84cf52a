import {
  type Graph,
  grantKeyOf,
  type ItemIdentity,
  itemIdentityOf,
  openGrant,
  readerOf,
  SealBrokenError,
  WrongIdentityError,
} from '@eldernode/core'
import type { AgeIdentity } from '../keys/index.ts'
import type { Item, Library } from '../library/index.ts'

const mostKept = 1000

export interface IdentitiesParts {
  own: AgeIdentity
  library: Pick<Library, 'keys'>
  graph: Pick<Graph, 'get'>
}

/** The identities of encrypted items: of those published here, and of those this node was made a reader of. */
export class Identities {
  readonly #parts: IdentitiesParts
  /** The last ones used, the one unused for longest first: opening one takes about a millisecond. */
  readonly #kept = new Map<string, ItemIdentity>()

  constructor(parts: IdentitiesParts) {
    this.#parts = parts
  }

  /** @returns undefined for an item that is not encrypted, or not for this node */
  async of(item: Pick<Item, 'infoHash' | 'publisher' | 'about'>): Promise<ItemIdentity | undefined> {
    const recipient = item.about.encryption?.recipient
    if (recipient === undefined) return undefined
    const known = this.#kept.get(item.infoHash) ?? (await this.#find(item))
    // A grant may say anything: what does not open the item is of no use.
    if (known?.recipient !== recipient) return undefined
    this.#keep(item.infoHash, known)
    return known
  }

  async #find({ infoHash, publisher }: Pick<Item, 'infoHash' | 'publisher'>): Promise<ItemIdentity | undefined> {
    const { own, library, graph } = this.#parts
    const key = library.keys.get(infoHash)
    if (key !== undefined) return await itemIdentityOf(new TextDecoder().decode(await own.open(key.wrapped)))
    const name = grantKeyOf({ infoHash, reader: readerOf(infoHash, own.recipient) })
    const wrapped = graph.get('g', publisher, name)?.body.wrapped
    if (wrapped === undefined) return undefined
    try {
      return await openGrant(wrapped, own.open)
    } catch (error) {
      if (error instanceof SealBrokenError || error instanceof WrongIdentityError) return undefined
      throw error
    }
  }

  #keep(infoHash: string, identity: ItemIdentity): void {
    this.#kept.delete(infoHash)
    this.#kept.set(infoHash, identity)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest)
  }
}
