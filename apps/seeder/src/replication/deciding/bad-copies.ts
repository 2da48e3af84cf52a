import type { Library } from '../../library/index.ts'

/** Copies here some of whose bytes are lost or wrong: known without a question to the catalog for each item of a pass. */
export class BadCopies {
  readonly #library: Pick<Library, 'condition' | 'damaged'>
  #known = new Set<string>()

  constructor(library: Pick<Library, 'condition' | 'damaged'>) {
    this.#library = library
  }

  has(infoHash: string): boolean {
    return this.#known.has(infoHash)
  }

  /** The condition of the copy may be another one. */
  see(infoHash: string): void {
    if (this.#library.condition(infoHash) === 'damaged') this.#known.add(infoHash)
    else this.#known.delete(infoHash)
  }

  /** Nothing is to be done about the copy until it is looked at again. */
  leave(infoHash: string): void {
    this.#known.delete(infoHash)
  }

  /** Asks for all of them. */
  recall(): void {
    this.#known = new Set(this.#library.damaged())
  }
}
