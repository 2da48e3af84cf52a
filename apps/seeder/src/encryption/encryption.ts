import {
  type About,
  type Access,
  DescriptionTooLongError,
  type Graph,
  type ItemIdentity,
  type MediaDetails,
  newItemIdentity,
  type NodeId,
  type Preview,
  sealSmall,
} from '@eldernode/core'
import type { PlainItem, Sealing } from '../ingest/index.ts'
import type { AgeIdentity } from '../keys/index.ts'
import type { Item, Library, NewItemKey } from '../library/index.ts'
import { Turns } from '../turns.ts'
import { ContentHash } from './content-hash.ts'
import { NoIdentityError } from './errors.ts'
import { Grants } from './grants.ts'
import { Identities } from './identities.ts'
import { ItemSealing, sealedAbout } from './item-sealing.ts'
import { Revealing } from './revealed.ts'

export interface EncryptionParts {
  id: NodeId
  own: AgeIdentity
  library: Pick<Library, 'keys' | 'record' | 'get' | 'blobPath' | 'about'>
  graph: Pick<Graph, 'get' | 'publish'>
}

/** What is asked for of a new encrypted item. */
export interface Wanted {
  owner: string
  access: Access
  /** age recipients, or registered names. */
  readers: readonly string[]
  rotateEvery?: number
  rotateAt?: number
  /** The item whose successor it is. */
  replaces?: string
}

/** An item that is being encrypted. */
export interface Draft {
  sealing: Sealing
  /** Once it was read: what its manifest says, and the key to be committed with it. @throws DescriptionTooLongError */
  finish(plain: PlainItem, about: About): Promise<{ about: About; key: NewItemKey }>
}

/** What was found out about an item, and made of it. */
export interface Found {
  media: MediaDetails
  previews: Preview[]
}

/** Encrypted items: made, read, and given to readers. */
export class Encryption {
  readonly grants: Grants
  readonly #parts: EncryptionParts
  readonly #identities: Identities
  readonly #revealing: Revealing
  readonly #content: ContentHash
  readonly #turns = new Turns()

  constructor(parts: EncryptionParts) {
    this.#parts = parts
    this.#content = new ContentHash(parts.own)
    this.#identities = new Identities(parts)
    this.#revealing = new Revealing({ identities: this.#identities, library: parts.library })
    this.grants = new Grants({ ...parts, identities: this.#identities })
  }

  /** @throws InvalidInputError for a reader that is none */
  async begin({ owner, access, readers, ...rest }: Wanted): Promise<Draft> {
    const { own } = this.#parts
    // This node is a reader too: by its key and the graph alone its items can be read again when the catalog is lost.
    const recipients = new Set([...(await this.grants.recipients(readers)), own.recipient])
    const identity = await newItemIdentity()
    const sealing = new ItemSealing(identity, access)
    return {
      sealing,
      finish: async (plain, about) => ({
        about: await sealing.about(plain, about),
        key: {
          owner,
          content: this.#content.of(owner, plain.sha256),
          wrapped: await this.#wrap(identity),
          readers: [...recipients],
          ...rest,
        },
      }),
    }
  }

  /** Runs `work` when no other is under way for the same plaintext of that owner: of two that come at once, one is first. */
  async once<T>(owner: string, sha256: string, work: () => Promise<T>): Promise<T> {
    return await this.#turns.take(this.#content.of(owner, sha256), work)
  }

  /** A live item that the owner published before with the same plaintext, name and access. */
  async twin(owner: string, access: Access, { name, sha256 }: Pick<PlainItem, 'name' | 'sha256'>) {
    for (const item of this.withContent(owner, sha256)) {
      if (item.access === access && (await this.reveal(item))?.name === name) return item
    }
    return undefined
  }

  /** Live items held here that the owner published with plaintext of that SHA-256, oldest first. */
  withContent(owner: string, sha256: string): Item[] {
    const { library } = this.#parts
    return library.keys
      .withContent(owner, this.#content.of(owner, sha256))
      .flatMap(({ infoHash }) => library.get(infoHash) ?? [])
      .filter((item) => item.state === 'live')
  }

  /** What an encrypted item is to who may read it, or undefined. @throws SealBrokenError */
  reveal(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>) {
    return this.#revealing.of(item)
  }

  /** The same of an item that need not be held, or complete: of many files, the first ones only. @throws SealBrokenError */
  description(item: Pick<Item, 'infoHash' | 'publisher' | 'about'>) {
    return this.#revealing.description(item)
  }

  /** Previews that an item names, to all or to who may read it. @throws SealBrokenError */
  async previews(item: Pick<Item, 'infoHash' | 'publisher' | 'about'>): Promise<Preview[] | undefined> {
    if (item.about.encryption === undefined) return item.about.previews
    return (await this.description(item))?.previews
  }

  /**
   * What is said of an encrypted item, with what was found out of its plaintext sealed in it: as much as there is room for.
   * @throws NoIdentityError, SealBrokenError
   */
  async adding(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'access'>, found: Partial<Found>): Promise<About> {
    const identity = await this.#identities.of(item)
    const described = await this.description(item)
    if (identity === undefined || described === undefined) throw new NoIdentityError(item.infoHash)
    const { index, ...rest } = described
    const { tracks: _tracks, ...brief } = found.media ?? {}
    const { previews = rest.previews ?? [], media: all = rest.media } = found
    for (const media of [all, brief, rest.media]) {
      const { previews: _before, ...others } = rest
      const named = previews.length > 0 && { previews }
      const whole = { ...others, ...(media && { media }), ...named }
      try {
        return await sealedAbout(whole, index === true, identity, item.access, item.about)
      } catch (error) {
        if (!(error instanceof DescriptionTooLongError)) throw error
      }
    }
    return item.about
  }

  /** The plaintext of its nth file. Undefined when this node cannot read it. @throws SealBrokenError, WrongIdentityError */
  file(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>, n: number) {
    return this.#revealing.file(item, n)
  }

  /** The identity for this node alone, as the catalog keeps it. */
  async #wrap({ identity }: ItemIdentity): Promise<Uint8Array> {
    return await sealSmall(new TextEncoder().encode(identity), this.#parts.own.recipient)
  }
}
