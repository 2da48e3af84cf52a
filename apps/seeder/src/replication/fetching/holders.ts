import type { Endpoints, HolderIndex, NodeId } from '@eldernode/core'
import type { Egress } from '../../egress/index.ts'
import type { Library } from '../../library/index.ts'
import type { Roster } from '../members/roster.ts'
import type { Nearness } from '../members/nearness.ts'
import type { Peer } from '../port.ts'
import { Banned } from './banned.ts'
import { inOrder, isSource, sourcesOf, type Sources } from './sources.ts'

export interface HoldersOptions {
  self: NodeId
  index: Pick<HolderIndex, 'nodesWith'>
  roster: Pick<Roster, 'get' | 'peers'>
  library: Pick<Library, 'condition'>
  egress: Egress
  nearness: Pick<Nearness, 'of' | 'measured'>
  now(): number
}

/** Who has an item, and where it can be had. */
export class Holders {
  readonly #options: HoldersOptions
  readonly #banned: Banned

  constructor(options: HoldersOptions) {
    this.#options = options
    this.#banned = new Banned(() => options.now())
  }

  /** How many members hold an item, this one included; `settled`: only those that live are believed. */
  count(infoHash: string, settled: boolean): number {
    const { index, roster, library } = this.#options
    const said = index.nodesWith(infoHash, 'held')
    const others = settled ? said.filter((id) => roster.get(id) !== undefined) : said
    return others.length + (library.condition(infoHash) === 'held' ? 1 : 0)
  }

  /** Live members that hold the item, the nearest first, without those that gave wrong bytes of it. */
  sources(infoHash: string, publisher: NodeId): Sources {
    const { library, egress } = this.#options
    // It was held before, and may be so in part by others who do not count as holders either.
    if (library.condition(infoHash) === 'damaged') return this.anyone(infoHash, publisher)
    return sourcesOf(endpointsOf(this.#holders(infoHash, publisher)), egress)
  }

  /** The same, and then others: of two copies with different damage neither counts as held, and each mends the other. */
  anyone(infoHash: string, publisher: NodeId): Sources {
    const { self, roster, egress } = this.#options
    const others = roster.peers().filter(({ id }) => id !== self && !this.#banned.has(infoHash, id))
    return sourcesOf(endpointsOf([...this.#holders(infoHash, publisher), ...this.#inOrder(others)]), egress)
  }

  /** Takes the time of an answer of a holder: a base URL of `sources`. */
  measured(base: string, ms: number): void {
    const id = this.#whose(base)
    if (id !== undefined) this.#options.nearness.measured(id, ms)
  }

  /** A source of the item, as `sources` gave it, had wrong bytes: it is not among them again for an hour. */
  ban(infoHash: string, source: string): void {
    const id = this.#whose(source)
    if (id !== undefined) this.#banned.add(infoHash, id)
  }

  #whose(source: string): NodeId | undefined {
    const { roster, egress } = this.#options
    return roster.peers().find(({ heartbeat }) => isSource(source, heartbeat.endpoints, egress))?.id
  }

  #inOrder(peers: readonly Peer[]): Peer[] {
    return inOrder(peers, (id) => this.#options.nearness.of(id), Math.random)
  }

  #holders(infoHash: string, publisher: NodeId): Peer[] {
    const { self, index, roster } = this.#options
    const ids = new Set([publisher, ...index.nodesWith(infoHash, 'held'), ...index.nodesWith(infoHash, 'releasing')])
    ids.delete(self)
    const mayGive = [...ids].filter((id) => !this.#banned.has(infoHash, id))
    return this.#inOrder(mayGive.flatMap((id) => roster.get(id) ?? []))
  }
}

function endpointsOf(peers: readonly Peer[]): Endpoints[] {
  return peers.map(({ heartbeat }) => heartbeat.endpoints)
}
