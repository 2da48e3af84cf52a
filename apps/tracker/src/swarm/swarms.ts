import type { Credit } from './accounts.ts'
import type { Host } from './clients.ts'
import { Announce, happened, type Kind, kinds } from './announce.ts'
import { Answer, type Counts } from './answer.ts'
import { choose } from './choice.ts'
import { isComplete, isPaused, Members, type MembersOptions } from './members.ts'
import type { PeerTable } from './peer-table.ts'
import type { Torrents } from './torrents.ts'

/** `random` also tells whom a peer is told of. */
export type SwarmsOptions = MembersOptions

export interface LargeSwarm {
  /** 40 hex digits. */
  infoHash: string
  complete: number
  incomplete: number
  downloaded: number
}

/**
 * Who has which torrent. No sockets, no timers, no objects: columns of numbers, in which every announce, stop, expiry and
 * random choice takes the same time however large a swarm is.
 */
export class Swarms {
  readonly #members: Members
  readonly #torrents: Torrents
  readonly #peers: PeerTable
  readonly #random: () => number

  constructor(options: SwarmsOptions) {
    this.#members = new Members(options)
    this.#torrents = this.#members.torrents
    this.#peers = this.#members.peers
    this.#random = options.random
  }

  get swarms(): number {
    return this.#torrents.size
  }

  get peers(): number {
    return this.#peers.size
  }

  /** Peers of one kind in all swarms: those that only give, or those that fetch. */
  peersOf(kind: Kind, isFetching: boolean): number {
    return this.#torrents.membersOf(kind, isFetching)
  }

  /** The largest swarms of so many that are looked at, the largest first. */
  largest(count: number, look: number): LargeSwarm[] {
    const words = new Int32Array(5)
    return this.#torrents.largest(count, look).map((torrent) => {
      this.#torrents.copyHash(torrent, words)
      const complete = this.#torrents.complete(torrent)
      return {
        infoHash: Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join(''),
        complete,
        incomplete: this.#torrents.members(torrent) - complete,
        downloaded: this.#torrents.downloaded(torrent),
      }
    })
  }

  /** Whether peers come with passkeys here. */
  get hasAccounts(): boolean {
    return this.#members.accounts !== undefined
  }

  openClient(host: Host): number {
    return this.#members.clients.open(host)
  }

  /** Takes a client out of every swarm. */
  closeClient(client: number): void {
    this.leave(client)
    this.#members.clients.close(client)
  }

  leave(client: number): void {
    const { clients } = this.#members
    for (let peer = clients.first(client); peer !== -1; peer = clients.first(client)) this.#members.drop(peer)
  }

  /** In how many swarms a client is. */
  swarmsOf(client: number): number {
    return this.#members.clients.count(client)
  }

  clientOf(peer: number): number {
    return this.#peers.clientOf(peer)
  }

  isMember(infoHash: Int32Array, client: number): boolean {
    const torrent = this.#torrents.find(infoHash)
    return torrent !== -1 && this.#peers.findClient(torrent, client) !== -1
  }

  announce(word: Announce, answer: Answer): void {
    answer.refusal = ''
    answer.count = 0
    answer.otherCount = 0
    const members = this.#members
    let torrent = this.#torrents.find(word.infoHash)
    const isStop = word.event === happened.stopped
    if (torrent === -1) {
      if (isStop) return answer.refuse('')
      torrent = members.open(word, answer)
      if (torrent === -1) return
    }
    let peer = members.find(torrent, word)
    if (isStop) {
      if (peer !== -1) members.drop(peer)
    } else if (peer === -1) peer = members.join(torrent, word, answer)
    else members.update(torrent, peer, word)
    // The last stop has closed the torrent, whose columns are zero then.
    answer.complete = this.#torrents.complete(torrent)
    answer.incomplete = this.#torrents.members(torrent) - answer.complete
    if (isStop || peer === -1 || word.wanted <= 0) return
    answer.count = this.#choose(torrent, word.kind, peer, word, word.wanted, answer.peers)
    if (word.kind === kinds.socket) return
    const other = word.kind === kinds.ipv4 ? kinds.ipv6 : kinds.ipv4
    answer.otherCount = this.#choose(torrent, other, peer, word, word.wanted - answer.count, answer.others)
  }

  /** Zeros for a torrent that nobody has announced. */
  counts(infoHash: Int32Array, into: Counts): void {
    const torrents = this.#torrents
    const torrent = torrents.find(infoHash)
    into.complete = torrent === -1 ? 0 : torrents.complete(torrent)
    into.incomplete = torrent === -1 ? 0 : torrents.members(torrent) - into.complete
    into.downloaded = torrent === -1 ? 0 : torrents.downloaded(torrent)
    into.downloaders = torrent === -1 ? 0 : into.incomplete - torrents.paused(torrent)
  }

  /** Writes the address and port of a peer as 6 or 18 bytes (BEP 23, BEP 7). @returns where the next one goes */
  writePeer(peer: number, into: Uint8Array, start: number): number {
    return this.#peers.write(peer, into, start)
  }

  /**
   * Takes peers of a passkey out of every swarm, at most `most` at once.
   *
   * @returns whether some are left
   */
  takeOut(key: number, most: number): boolean {
    const { accounts } = this.#members
    if (accounts === undefined) return false
    let peer = accounts.first(key)
    for (let left = most; left > 0 && peer !== -1; left--) {
      this.#members.drop(peer)
      peer = accounts.first(key)
    }
    return peer !== -1
  }

  /**
   * Takes out the peers of torrents that are not served.
   *
   * @param from a torrent's number, 0 at first
   * @param look how many torrents are looked at
   * @param most how many peers are taken out at most
   * @returns where to go on, -1 when all were looked at
   */
  takeOutTorrents(from: number, look: number, most: number, isServed: (infoHash: Int32Array) => boolean): number {
    const torrents = this.#torrents
    const end = Math.min(torrents.end, from + look)
    const infoHash = new Int32Array(5)
    let left = most
    for (let torrent = from; torrent < end; torrent++) {
      if (torrents.members(torrent) === 0) continue
      torrents.copyHash(torrent, infoHash)
      if (isServed(infoHash)) continue
      for (let members = torrents.members(torrent); members > 0; members--) {
        if (left-- === 0) return torrent
        this.#members.drop(torrents.memberAt(torrent, 0))
      }
    }
    return end === torrents.end ? -1 : end
  }

  /** Every passkey that has a peer here. */
  keys(): Iterable<number> {
    return this.#members.accounts?.keys() ?? []
  }

  /** Tells what peers gave and took since it was told last, of so many passkeys at most. */
  takeTotals(most: number, credit: Credit): void {
    this.#members.accounts?.take(most, credit)
  }

  /** The same of one passkey. */
  takeTotalsOf(key: number, credit: Credit): void {
    this.#members.accounts?.takeOf(key, credit)
  }

  /** Every peer that has an address, as it could announce itself again, how many seconds ago it did, and its torrent's downloads. */
  save(visit: (word: Announce, age: number, downloaded: number) => void): void {
    const word = new Announce()
    const peers = this.#peers
    const { accounts } = this.#members
    const now = this.#members.seconds()
    peers.forEach((peer) => {
      if (peers.kindOf(peer) === kinds.socket) return
      const torrent = peers.torrentOf(peer)
      const flags = peers.flagsOf(peer)
      this.#torrents.copyHash(torrent, word.infoHash)
      peers.read(peer, word)
      word.event = (flags & isPaused) === 0 ? happened.update : happened.paused
      word.left = (flags & isComplete) === 0 ? 1 : 0
      accounts?.read(peer, word)
      visit(word, now - peers.seenAt(peer), this.#torrents.downloaded(torrent))
    })
  }

  /** Takes back what `save` gave, some seconds older, unless the peer has announced itself meanwhile. */
  restore(word: Announce, age: number, downloaded: number): void {
    const answer = restored
    const torrents = this.#torrents
    let torrent = torrents.find(word.infoHash)
    if (this.#peers.find(torrent, word) !== -1 || this.#peers.isFull) return
    // What was known before the restart is no new torrent of whoever had it.
    if (torrent === -1) torrent = torrents.insert(word.infoHash)
    if (torrent === -1) return
    this.announce(word, answer)
    const peer = this.#peers.find(torrent, word)
    if (answer.refusal !== '' || peer === -1) return
    torrents.setDownloaded(torrent, Math.max(torrents.downloaded(torrent), downloaded))
    this.#members.setAge(peer, age)
  }

  /** Forgets peers that were not heard of for long, at most `most` at once. @returns whether some are left */
  expire(most: number): boolean {
    return this.#members.expire(most)
  }

  #choose(torrent: number, kind: number, asker: number, word: Announce, wanted: number, into: Int32Array): number {
    const torrents = this.#torrents
    const own = this.#members.listOf(torrent, asker)
    const position = this.#peers.positionOf(asker)
    return choose(torrents.lists, torrents.givers(torrent, kind), own, position, wanted, word.event, this.#random, into)
  }
}

const restored = new Answer()
