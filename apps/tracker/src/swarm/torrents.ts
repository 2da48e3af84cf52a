import { kinds } from './announce.ts'
import { KeyTable } from './key-table.ts'
import { MemberLists } from './member-lists.ts'

/** For each kind: those that only give (complete, or paused by BEP 21), then those that fetch. */
const listsPerTorrent = 6

const keyWidth = 5

/** Every torrent that somebody is in: its counts in columns, and lists of its members. */
export class Torrents {
  readonly lists: MemberLists
  readonly #table: KeyTable
  readonly #members: Int32Array
  readonly #paused: Int32Array
  readonly #downloaded: Uint32Array
  /** Members of all torrents, as each has them: only givers and fetchers of each kind. */
  readonly #tally = new Int32Array(listsPerTorrent)
  #lookedUntil = 0

  constructor(capacity: number, peers: number, random: () => number) {
    this.#table = new KeyTable(capacity, keyWidth, keyWidth, random)
    this.lists = new MemberLists(capacity * listsPerTorrent, peers)
    this.#members = new Int32Array(capacity)
    this.#paused = new Int32Array(capacity)
    this.#downloaded = new Uint32Array(capacity)
  }

  get size(): number {
    return this.#table.size
  }

  /** Numbers from this one on were never given to a torrent. */
  get end(): number {
    return this.#table.end
  }

  get isFull(): boolean {
    return this.#table.size >= this.#table.capacity
  }

  /** A number, or -1. */
  find(infoHash: Int32Array): number {
    return this.#table.find(infoHash)
  }

  /** A number for a torrent that is not there yet, or -1 when there is no room. */
  insert(infoHash: Int32Array): number {
    return this.#table.insert(infoHash)
  }

  /** Forgets a torrent without members. */
  close(torrent: number): void {
    this.#downloaded[torrent] = 0
    this.#table.remove(torrent)
  }

  copyHash(torrent: number, into: Int32Array): void {
    into.set(this.#table.records.subarray(torrent * keyWidth, (torrent + 1) * keyWidth))
  }

  members(torrent: number): number {
    return this.#members[torrent] as number
  }

  complete(torrent: number): number {
    const { lists } = this
    const first = torrent * listsPerTorrent
    const giving = lists.count(first) + lists.count(first + 2) + lists.count(first + 4)
    return giving - (this.#paused[torrent] as number)
  }

  /** Members that miss something and do not fetch it (BEP 21). */
  paused(torrent: number): number {
    return this.#paused[torrent] as number
  }

  downloaded(torrent: number): number {
    return this.#downloaded[torrent] as number
  }

  addMembers(torrent: number, change: number): void {
    this.#members[torrent] = (this.#members[torrent] as number) + change
  }

  /** Counts who came to a list or left it. */
  tally(list: number, change: number): void {
    this.#tally[list % listsPerTorrent] = (this.#tally[list % listsPerTorrent] as number) + change
  }

  /** Members of one kind in all torrents: those that only give, or those that fetch. */
  membersOf(kind: number, isFetching: boolean): number {
    return this.#tally[kind * 2 + (isFetching ? 1 : 0)] as number
  }

  /** The largest of so many places at most, the largest first. Where there are more, the next look begins after them. */
  largest(count: number, look: number): number[] {
    const found: number[] = []
    const capacity = this.#members.length
    const places = Math.min(look, capacity)
    for (let i = 0; i < places; i++) {
      const torrent = (this.#lookedUntil + i) % capacity
      const members = this.members(torrent)
      if (members === 0 || (found.length === count && members <= this.members(found.at(-1) as number))) continue
      const at = found.findIndex((other) => this.members(other) < members)
      found.splice(at === -1 ? found.length : at, 0, torrent)
      if (found.length > count) found.pop()
    }
    this.#lookedUntil = (this.#lookedUntil + places) % capacity
    return found
  }

  addPaused(torrent: number, change: number): void {
    this.#paused[torrent] = (this.#paused[torrent] as number) + change
  }

  setDownloaded(torrent: number, downloaded: number): void {
    this.#downloaded[torrent] = downloaded
  }

  /** The list of those of a kind that only give; the list of those that fetch is the next one. */
  givers(torrent: number, kind: number): number {
    return torrent * listsPerTorrent + kind * 2
  }

  /** The member at a position among all of them, whatever their list. */
  memberAt(torrent: number, position: number): number {
    const { lists } = this
    let list = this.givers(torrent, kinds.ipv4)
    let rest = position
    while (rest >= lists.count(list)) rest -= lists.count(list++)
    return lists.at(list, rest)
  }
}
