import { type Description, openDescription, readFileIndex, SealBrokenError } from '@eldernode/core'
import type { Item, Library } from '../library/index.ts'
import { AgeFile } from './age-file.ts'
import type { Identities } from './identities.ts'

/** What an encrypted item is to who may read it. */
export interface Revealed extends Omit<Description, 'index' | 'files'> {
  /** In item order: the nth is in the item's nth stored file. */
  files: Description['files']
}

const mostKept = 500
const mostIndexBytes = 16 * 2 ** 20

export interface RevealingParts {
  identities: Identities
  library: Pick<Library, 'blobPath'>
}

/** Reads encrypted items for who may; whether somebody may is asked before. */
export class Revealing {
  readonly #parts: RevealingParts
  /** By what was sealed, which changes with every change of it. Without long lists of files. */
  readonly #kept = new Map<string, Revealed>()

  constructor(parts: RevealingParts) {
    this.#parts = parts
  }

  /**
   * @returns undefined for an item that is not encrypted, or not for this node
   * @throws SealBrokenError when its publisher sealed something else
   */
  async of(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>): Promise<Revealed | undefined> {
    const sealed = item.about.encryption?.sealed
    if (sealed === undefined) return undefined
    const known = this.#kept.get(sealed)
    if (known !== undefined) return known
    const identity = await this.#parts.identities.of(item)
    if (identity === undefined) return undefined
    const { index, ...description } = await openDescription(sealed, identity.identity)
    const files = index === true ? await this.#index(item, identity.identity) : description.files
    if (files.length !== item.files.length - (index === true ? 1 : 0))
      throw new SealBrokenError('describes more or fewer files than there are')
    const revealed = { ...description, files }
    if (index !== true) this.#keep(sealed, revealed)
    return revealed
  }

  /**
   * The plaintext of the nth file, which is held.
   * @throws SealBrokenError; WrongIdentityError when its publisher encrypted it for another identity
   */
  async file(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>, n: number): Promise<AgeFile | undefined> {
    const identity = await this.#parts.identities.of(item)
    const file = item.files[n]
    if (identity === undefined || file === undefined) return undefined
    return await AgeFile.open(this.#parts.library.blobPath(file.sha256), identity.identity)
  }

  async #index(item: Pick<Item, 'files'>, identity: string): Promise<Description['files']> {
    const last = item.files.at(-1)
    if (last === undefined) throw new SealBrokenError('has no list of files')
    const file = await AgeFile.open(this.#parts.library.blobPath(last.sha256), identity)
    try {
      if (file.size > mostIndexBytes) throw new SealBrokenError('has too long a list of files')
      const bytes = Buffer.alloc(file.size)
      for (let at = 0; at < file.size;) at += await file.read(bytes.subarray(at), file.size - at, at)
      return readFileIndex(bytes)
    } finally {
      await file.close()
    }
  }

  #keep(sealed: string, revealed: Revealed): void {
    this.#kept.set(sealed, revealed)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest)
  }
}
