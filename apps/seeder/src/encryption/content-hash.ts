import { createHmac } from 'node:crypto'
import type { AgeIdentity } from '../keys/index.ts'

/**
 * Names the plaintext of each owner's encrypted items without saying what it is: whoever reads the catalog, and has the
 * same file, learns nothing from it, and neither does another owner.
 */
export class ContentHash {
  readonly #key: Uint8Array

  constructor(own: Pick<AgeIdentity, 'derive'>) {
    this.#key = own.derive('content of encrypted items')
  }

  /** @param sha256 of the plaintext, as of an item: see `contentSha256`. @returns 64 hex digits */
  of(owner: string, sha256: string): string {
    const key = createHmac('sha256', this.#key).update(owner).digest()
    return createHmac('sha256', key).update(sha256, 'hex').digest('hex')
  }
}
