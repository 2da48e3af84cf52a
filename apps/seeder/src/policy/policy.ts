import type { Manifest, NodeId } from '@eldernode/core'
import type { PolicySettings } from './settings.ts'

/** What a policy looks at of an item: all its live manifests say. */
export interface Offer {
  infoHash: string
  /** Bytes. */
  size: number
  /** Whose manifest is live. */
  publishers: readonly NodeId[]
  /** Media types of its files, as far as the manifest has room for them. */
  types: readonly string[]
  tags: readonly string[]
}

/** Which setting keeps an item away. */
export type Objection = 'policy_publisher' | 'policy_item_size' | 'policy_bytes' | 'policy_type' | 'policy_tag'

/** Which copies the operator wants here and which not. */
export class Policy {
  #settings: PolicySettings
  #pinned: ReadonlySet<string>
  #accepted: ReadonlySet<NodeId>
  #refused: ReadonlySet<NodeId>

  constructor(settings: PolicySettings) {
    this.#settings = settings
    this.#pinned = new Set(settings.pinned)
    this.#accepted = new Set(settings.accept)
    this.#refused = new Set(settings.refuse)
  }

  /** @returns whether anything is different from now on */
  change(settings: PolicySettings): boolean {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return false
    this.#settings = settings
    this.#pinned = new Set(settings.pinned)
    this.#accepted = new Set(settings.accept)
    this.#refused = new Set(settings.refuse)
    return true
  }

  /** Whether the item is always held here. */
  pins(infoHash: string): boolean {
    return this.#pinned.has(infoHash)
  }

  /**
   * @param copied bytes of the copies that are here or on their way; asked for only when there is a limit
   * @returns why no copy of it is made here; `undefined` when one may be
   */
  objection({ infoHash, size, publishers, types, tags }: Offer, copied: () => number): Objection | undefined {
    if (this.pins(infoHash)) return undefined
    const { maxItemBytes, maxBytes, types: wantedTypes, tags: wantedTags } = this.#settings
    if (!publishers.some((id) => this.#takesFrom(id))) return 'policy_publisher'
    if (maxItemBytes > 0 && size > maxItemBytes) return 'policy_item_size'
    if (wantedTypes.length > 0 && !types.some((type) => wantedTypes.some((wanted) => isOf(type, wanted))))
      return 'policy_type'
    if (wantedTags.length > 0 && !tags.some((tag) => wantedTags.includes(tag))) return 'policy_tag'
    if (maxBytes > 0 && !this.hasRoom(size, copied())) return 'policy_bytes'
    return undefined
  }

  /** Whether a copy of `size` bytes may be made beside `copied` bytes of others. */
  hasRoom(size: number, copied: number): boolean {
    const { maxBytes } = this.#settings
    return maxBytes === 0 || copied + size <= maxBytes
  }

  #takesFrom(publisher: NodeId): boolean {
    if (this.#refused.has(publisher)) return false
    return this.#accepted.size === 0 || this.#accepted.has(publisher)
  }
}

/** What a manifest says that a policy looks at. What is encrypted tells neither its types nor its tags. */
export function offerOf({ infoHash, size, files, tags = [] }: Manifest, publishers: readonly NodeId[]): Offer {
  return { infoHash, size, publishers, types: [...new Set(files.map(({ type }) => type))], tags }
}

function isOf(type: string, wanted: string): boolean {
  return type === wanted || type.startsWith(`${wanted}/`)
}
