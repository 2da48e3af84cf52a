/** What opens an encrypted item that was published here. */
export interface ItemKey {
  infoHash: string
  owner: string
  /** Hash of the plaintext under a key of the owner: 64 hex digits. */
  content: string
  /** An age file for this node, whose content is the item's identity. */
  wrapped: Uint8Array
  /** Milliseconds between scheduled rotations. */
  rotateEvery?: number
  /** When the next one is due, in milliseconds since 1970. */
  rotateAt?: number
  /** The item that is published instead of this one, until this one is retracted. */
  successor?: string
}

/** A key that becomes durable with its item. */
export interface NewItemKey extends Omit<ItemKey, 'infoHash' | 'successor'> {
  /** age recipients, each once. */
  readers: readonly string[]
  /** The item whose successor this one is. */
  replaces?: string
}

/** `wanted` and `removed`: decided here, but not published yet. */
export interface ItemReader {
  recipient: string
  state: 'wanted' | 'granted' | 'removed'
}

/** A key pair of elsewhere that speaks for an age recipient. */
export interface RegisteredReader {
  id: string
  recipient: string
  /** When it was signed, in milliseconds since 1970. */
  signedAt: number
}

/** Identities of encrypted items, and their readers. What is written is durable when a method returns. */
export interface KeyStore {
  /** Whether the manifest of an item, held or not, published here or not, says that it is encrypted. */
  isEncrypted(infoHash: string): boolean
  get(infoHash: string): ItemKey | undefined
  /** Keys of that owner's items with that content, oldest item first; the items may be gone. */
  withContent(owner: string, content: string): ItemKey[]
  readers(infoHash: string): ItemReader[]
  /** Whether one of the item's readers is that recipient, or registered under that name. */
  isReader(infoHash: string, name: string): boolean
  /** @throws TooManyReadersError when there would be more than 1,000 */
  setReader(infoHash: string, reader: ItemReader): void
  /** What is `wanted` or `removed`, by infohash and recipient, from the one after `after` on; at most `limit`. */
  unpublished(limit: number, after?: { infoHash: string; recipient: string }): ({ infoHash: string } & ItemReader)[]
  /** The publication is done: `wanted` becomes `granted`, `removed` is forgotten. */
  published(infoHash: string, reader: ItemReader): void
  schedule(infoHash: string, rotation: { every: number; at: number } | undefined): void
  /** The item whose rotation is due first. */
  nextRotation(): { infoHash: string; rotateAt: number } | undefined
  /** Infohashes that have a successor and are still to be retracted. */
  replaced(): string[]
  /** It was: whoever brings it back wants both. */
  retired(infoHash: string): void
  registered(id: string): RegisteredReader | undefined
  /** Keeps the newest of a name. Beyond a bound those nobody made a reader of anything go, the oldest first. */
  register(reader: RegisteredReader): void
}
