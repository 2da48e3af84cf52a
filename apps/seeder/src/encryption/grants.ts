import {
  checkRecipient,
  type Graph,
  grantKeyOf,
  InvalidInputError,
  newGrant,
  type NodeId,
  readerOf,
  recipientSchema,
  withdrawnGrant,
} from '@eldernode/core'
import type { Item, ItemReader, Library } from '../library/index.ts'
import { NoIdentityError, NotEncryptedError } from './errors.ts'
import type { Identities } from './identities.ts'

const atOnce = 500

export interface GrantsParts {
  id: NodeId
  identities: Identities
  library: Pick<Library, 'keys' | 'record' | 'about'>
  graph: Pick<Graph, 'get' | 'publish'>
}

/**
 * Who reads which encrypted item. What is decided lies in the catalog first and is published from there, so that a crash
 * between the two forgets nobody.
 */
export class Grants {
  readonly #parts: GrantsParts

  constructor(parts: GrantsParts) {
    this.#parts = parts
  }

  /** age recipients of an item published here, this node's own left out. @throws NotEncryptedError */
  of(infoHash: string): string[] {
    const { library } = this.#parts
    if (library.keys.get(infoHash) === undefined) throw new NotEncryptedError(infoHash)
    return library.keys
      .readers(infoHash)
      .filter(({ state }) => state !== 'removed')
      .map(({ recipient }) => recipient)
  }

  /** Whether an age recipient is a reader of an item, here or as its publisher's grants say. */
  isReader({ infoHash, publisher }: Pick<Item, 'infoHash' | 'publisher'>, recipient: string): boolean {
    const { id, library, graph } = this.#parts
    // Of an item that was inherited from a lost key the graph alone knows the readers.
    const isOwn = publisher === id && library.keys.get(infoHash) !== undefined
    if (isOwn) return library.keys.isReader(infoHash, recipient)
    const parsed = recipientSchema.safeParse(recipient)
    if (!parsed.success) return false
    const key = grantKeyOf({ infoHash, reader: readerOf(infoHash, parsed.data) })
    return graph.get('g', publisher, key)?.body.wrapped !== undefined
  }

  /** @param names age recipients, or registered names. @throws InvalidInputError, NotEncryptedError, TooManyReadersError */
  async add(infoHash: string, names: readonly string[]): Promise<string[]> {
    const { keys } = this.#parts.library
    if (keys.get(infoHash) === undefined) throw new NotEncryptedError(infoHash)
    const recipients = await this.recipients(names)
    const known = new Map(keys.readers(infoHash).map((reader) => [reader.recipient, reader.state]))
    for (const recipient of recipients) {
      const state = known.get(recipient)
      if (state === undefined || state === 'removed') keys.setReader(infoHash, { recipient, state: 'wanted' })
    }
    await this.#publishAll(infoHash)
    return this.of(infoHash)
  }

  /** From then on; what it has read, it has read. An unknown reader is no error. @throws NotEncryptedError */
  async remove(infoHash: string, name: string): Promise<string[]> {
    const { keys } = this.#parts.library
    if (keys.get(infoHash) === undefined) throw new NotEncryptedError(infoHash)
    const recipient = keys.registered(name)?.recipient ?? name
    const isKnown = keys.readers(infoHash).some((reader) => reader.recipient === recipient)
    if (isKnown) keys.setReader(infoHash, { recipient, state: 'removed' })
    await this.#publishAll(infoHash)
    return this.of(infoHash)
  }

  /** Has an item's previews read by its readers, and by nobody else. */
  match(infoHash: string): string[] {
    const { keys, about } = this.#parts.library
    const wanted = new Set(this.of(infoHash))
    const previews = about.previewsOf(infoHash).filter((preview) => keys.get(preview) !== undefined)
    for (const preview of previews) {
      const readers = keys.readers(preview)
      for (const { recipient, state } of readers)
        if (state !== 'removed' && !wanted.has(recipient)) keys.setReader(preview, { recipient, state: 'removed' })
      const known = new Set(readers.filter(({ state }) => state !== 'removed').map(({ recipient }) => recipient))
      for (const recipient of wanted) if (!known.has(recipient)) keys.setReader(preview, { recipient, state: 'wanted' })
    }
    return previews
  }

  async #publishAll(infoHash: string): Promise<void> {
    for (const each of [infoHash, ...this.match(infoHash)]) await this.publish(each)
  }

  /** The recipients that names stand for, each once. @throws InvalidInputError */
  async recipients(names: readonly string[]): Promise<string[]> {
    const found = new Set<string>()
    for (const name of names) {
      const recipient = this.#parts.library.keys.registered(name)?.recipient ?? name
      if (!recipientSchema.safeParse(recipient).success) {
        const shown = JSON.stringify(name.slice(0, 100))
        throw new InvalidInputError(`${shown} is neither an age recipient (age1...) nor registered at this node.`)
      }
      if (!found.has(recipient)) await checkRecipient(recipient)
      found.add(recipient)
    }
    return [...found]
  }

  /** Publishes what was decided of one item, whose manifest is published. @throws NoIdentityError */
  async publish(infoHash: string): Promise<void> {
    for (const reader of this.#parts.library.keys.readers(infoHash)) {
      if (reader.state !== 'granted') await this.#publish(infoHash, reader)
    }
  }

  /** Publishes what a crash or a failure left. @param failed told of each that could not be; the others go on */
  async publishRest(failed: (infoHash: string, error: unknown) => void): Promise<void> {
    const { id, library, graph } = this.#parts
    let page = library.keys.unpublished(atOnce)
    for (; page.length > 0; page = library.keys.unpublished(atOnce, page.at(-1))) {
      for (const { infoHash, ...reader } of page) {
        try {
          // The manifest comes first: it says who may see the grants.
          if (graph.get('m', id, infoHash) !== undefined) await this.#publish(infoHash, reader)
        } catch (error) {
          failed(infoHash, error)
        }
      }
    }
  }

  async #publish(infoHash: string, reader: ItemReader): Promise<void> {
    const { graph, library } = this.#parts
    const grant =
      reader.state === 'removed'
        ? withdrawnGrant(infoHash, reader.recipient)
        : await newGrant(infoHash, await this.#identity(infoHash), reader.recipient)
    await graph.publish('g', grantKeyOf(grant), grant)
    library.keys.published(infoHash, reader)
  }

  async #identity(infoHash: string): Promise<string> {
    const item = this.#parts.library.record(infoHash)
    const identity = item && (await this.#parts.identities.of(item))
    if (identity === undefined) throw new NoIdentityError(infoHash)
    return identity.identity
  }
}
