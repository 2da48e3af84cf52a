import { type Description, openDescription, readFileIndex, SealBrokenError } from '@eldernode/core'
import type { Item, Library } from '../library/index.ts'
import { AgeFile, type Opening } from './age-file.ts'
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
  /** By what was sealed, which changes with every change of it. */
  readonly #kept = new Map<string, Description>()
  readonly #openings = new Map<string, Opening>()

  constructor(parts: RevealingParts) {
    this.#parts = parts
  }

  /**
   * @returns undefined for an item that is not encrypted, or not for this node
   * @throws SealBrokenError when its publisher sealed something else
   */
  async of(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>): Promise<Revealed | undefined> {
    const described = await this.description(item)
    if (described === undefined) return undefined
    const { index, ...rest } = described
    const files = index === true ? await this.#index(item) : rest.files
    if (files.length !== item.files.length - (index === true ? 1 : 0))
      throw new SealBrokenError('describes more or fewer files than there are')
    return { ...rest, files }
  }

  /** The same of an item that need not be held or complete: of many files, the first ones only. @throws SealBrokenError */
  async description(item: Pick<Item, 'infoHash' | 'publisher' | 'about'>): Promise<Description | undefined> {
    const sealed = item.about.encryption?.sealed
    if (sealed === undefined) return undefined
    const known = this.#kept.get(sealed)
    if (known !== undefined) return known
    const identity = await this.#parts.identities.of(item)
    if (identity === undefined) return undefined
    const description = await openDescription(sealed, identity.identity)
    keep(this.#kept, sealed, description)
    return description
  }

  /**
   * The plaintext of the nth file, which is held.
   * @throws SealBrokenError; WrongIdentityError when its publisher encrypted it for another identity
   */
  async file(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>, n: number): Promise<AgeFile | undefined> {
    const identity = await this.#parts.identities.of(item)
    const file = item.files[n]
    if (identity === undefined || file === undefined) return undefined
    const path = this.#parts.library.blobPath(file.sha256)
    const name = `${item.infoHash}/${n}`
    const known = this.#openings.get(name)
    if (known !== undefined) return await AgeFile.reopen(path, known)
    const opened = await AgeFile.open(path, identity.identity)
    keep(this.#openings, name, opened.opening)
    return opened
  }

  async #index(item: Pick<Item, 'infoHash' | 'publisher' | 'about' | 'files'>): Promise<Description['files']> {
    const file = await this.file(item, item.files.length - 1)
    if (file === undefined) throw new SealBrokenError('has no list of files')
    try {
      if (file.size > mostIndexBytes) throw new SealBrokenError('has too long a list of files')
      const bytes = Buffer.alloc(file.size)
      for (let at = 0; at < file.size;) at += await file.read(bytes.subarray(at), file.size - at, at)
      return readFileIndex(bytes)
    } finally {
      await file.close()
    }
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > mostKept && oldest !== undefined) map.delete(oldest)
}
