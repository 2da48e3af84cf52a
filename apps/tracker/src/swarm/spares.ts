import { Announce, kinds } from './announce.ts'
import type { Clients, Host } from './clients.ts'
import type { PeerTable } from './peer-table.ts'
import type { Torrents } from './torrents.ts'

/** How many places are looked at. */
const candidates = 8

/** A torrent of more peers is not looked through. */
const mostOfOne = 16

export interface SparesOptions {
  torrents: Torrents
  peers: PeerTable
  clients: Clients
  isMember: (kind: Host['kind'], address: Int32Array) => boolean
  /** From 0 to below 1. */
  random: () => number
}

/**
 * What a full tracker loses least by: a torrent of which one address alone speaks, so that nobody learns anything from it.
 * Whoever fills the tables with such makes way for others, and for itself.
 */
export class Spares {
  readonly #options: SparesOptions
  readonly #word = new Announce()
  readonly #first = new Int32Array(3)
  readonly #other = new Int32Array(3)

  constructor(options: SparesOptions) {
    this.#options = options
  }

  /** One of some torrents at random, the table of which is full: the one heard of longest ago. -1 when none of them is spare. */
  torrent(): number {
    const { torrents, random } = this.#options
    let oldest = -1
    for (let i = 0; i < candidates; i++) oldest = this.#older(Math.floor(random() * torrents.size), oldest)
    return oldest
  }

  /**
   * One of some peers at random, the table of which is full, that is alone in its torrent or has another one of its own
   * address there: the one heard of longest ago. -1 when none of them is spare.
   *
   * @param except a torrent whose peers do not give way
   */
  peer(except: number): number {
    const { peers, random } = this.#options
    let oldest = -1
    for (let i = 0; i < candidates; i++) {
      const peer = Math.floor(random() * peers.size)
      if (peers.torrentOf(peer) === except || !this.#isSparePeer(peer)) continue
      if (oldest === -1 || peers.seenAt(peer) < peers.seenAt(oldest)) oldest = peer
    }
    return oldest
  }

  #older(torrent: number, oldest: number): number {
    if (!this.#isSpare(torrent)) return oldest
    return oldest === -1 || this.#seenAt(torrent) < this.#seenAt(oldest) ? torrent : oldest
  }

  #seenAt(torrent: number): number {
    return this.#options.peers.seenAt(this.#options.torrents.memberAt(torrent, 0))
  }

  #isSparePeer(peer: number): boolean {
    const { torrents, peers, random } = this.#options
    if (this.#locate(peer, this.#first)) return false
    const torrent = peers.torrentOf(peer)
    const others = torrents.members(torrent) - 1
    if (others === 0) return true
    // One that is looked at is enough: where one address has most of the peers it is seldom another's.
    const drawn = torrents.memberAt(torrent, Math.floor(random() * others))
    const other = drawn === peer ? torrents.memberAt(torrent, others) : drawn
    return !this.#locate(other, this.#other) && !this.#other.some(isNotFirst, this.#first)
  }

  /** Whether all of its peers are at one address, or one /64 of IPv6, which is no member's. */
  #isSpare(torrent: number): boolean {
    const { torrents } = this.#options
    const members = torrents.members(torrent)
    if (members === 0 || members > mostOfOne) return false
    for (let position = 0; position < members; position++) {
      const into = position === 0 ? this.#first : this.#other
      if (this.#locate(torrents.memberAt(torrent, position), into)) return false
      if (position > 0 && into.some(isNotFirst, this.#first)) return false
    }
    return true
  }

  /** Fills in where a peer is. @returns whether that is a member's address */
  #locate(peer: number, into: Int32Array): boolean {
    const { peers, clients, isMember } = this.#options
    const word = this.#word
    peers.read(peer, word)
    const { kind, address } = word
    const isSocket = kind === kinds.socket
    const host = isSocket ? clients.hostOf(address[0] as number) : undefined
    into[0] = host?.kind ?? kind
    into[1] = host?.high ?? (address[0] as number)
    into[2] = host?.low ?? (kind === kinds.ipv6 ? (address[1] as number) : 0)
    return isSocket ? host?.isMember === true : isMember(kind, address)
  }
}

function isNotFirst(this: Int32Array, word: number, index: number): boolean {
  return word !== this[index]
}
