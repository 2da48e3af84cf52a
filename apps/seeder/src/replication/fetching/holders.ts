import type { Endpoints, HolderIndex, NodeId } from '@eldernode/core'
import type { Egress } from '../../egress/index.ts'
import type { Library } from '../../library/index.ts'
import type { Roster } from '../members/roster.ts'
import { inOrder, sourcesOf, type Sources } from './sources.ts'

export interface HoldersOptions {
  self: NodeId
  index: Pick<HolderIndex, 'nodesWith'>
  roster: Pick<Roster, 'get' | 'peers'>
  library: Pick<Library, 'condition'>
  egress: Egress
}

/** Who has an item, and where it can be had. */
export class Holders {
  readonly #options: HoldersOptions

  constructor(options: HoldersOptions) {
    this.#options = options
  }

  /** How many members hold an item, this one included; `settled`: only those that live are believed. */
  count(infoHash: string, settled: boolean): number {
    const { index, roster, library } = this.#options
    const said = index.nodesWith(infoHash, 'held')
    const others = settled ? said.filter((id) => roster.get(id) !== undefined) : said
    return others.length + (library.condition(infoHash) === 'held' ? 1 : 0)
  }

  /** Live members that hold the item. */
  sources(infoHash: string, publisher: NodeId): Sources {
    const { library, egress } = this.#options
    // It was held before, and may be so in part by others who do not count as holders either.
    if (library.condition(infoHash) === 'damaged') return this.anyone(infoHash, publisher)
    return sourcesOf(this.#endpoints(infoHash, publisher), egress)
  }

  /** The same, and then others: of two copies with different damage neither counts as held, and each mends the other. */
  anyone(infoHash: string, publisher: NodeId): Sources {
    const { self, roster, egress } = this.#options
    const others = inOrder(
      roster.peers().filter(({ id }) => id !== self),
      Math.random,
    )
    return sourcesOf([...this.#endpoints(infoHash, publisher), ...others], egress)
  }

  #endpoints(infoHash: string, publisher: NodeId): Endpoints[] {
    const { self, index, roster } = this.#options
    const ids = new Set([publisher, ...index.nodesWith(infoHash, 'held'), ...index.nodesWith(infoHash, 'releasing')])
    ids.delete(self)
    const live = [...ids].flatMap((id) => roster.get(id) ?? [])
    return inOrder(live, Math.random)
  }
}
