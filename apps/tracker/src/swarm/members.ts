import { Accounts } from './accounts.ts'
import { type Announce, happened, kinds } from './announce.ts'
import type { Answer } from './answer.ts'
import { Clients, type Host } from './clients.ts'
import { PeerTable } from './peer-table.ts'
import { Spares } from './spares.ts'
import { Torrents } from './torrents.ts'
import { Wheel } from './wheel.ts'

export interface MembersOptions {
  limits: {
    /** Sizes of tables: memory is reserved for so many, and taken as they come. */
    readonly swarms: number
    readonly peers: number
    /** May change while it runs. */
    peersPerSwarm: number
  }
  /** Given where peers come with passkeys: what they give and take is counted for those. */
  accounts?: Accounts['limits']
  /** Seconds after its last announce until a peer is forgotten. */
  ttl: { address: number; socket: number }
  /** Whether an address is one of this network's own, whose torrents do not give way to those of others. */
  isMember?: (kind: Host['kind'], address: Int32Array) => boolean
  /** Counts one torrent that an address opens. False when those are too many. */
  mayOpen?: (kind: Host['kind'], address: Int32Array) => boolean
  /** Milliseconds. */
  now: () => number
  /** From 0 to below 1: who gives way. */
  random: () => number
  /** The same, which nobody can foresee. */
  secret: () => number
}

export const isComplete = 1
export const isPaused = 2

/** How many are looked at to find the one that gives way in a full swarm. */
const candidates = 8

const ticksPerTurn = 256

const hasty = 'this address has brought too many new torrents: try again in a minute'
const full = 'this tracker is full: try again later, or another one'
const crowded = 'this passkey is used by as many peers as it may be at once'

/** How peers come into swarms, change and go, by their own word or because nothing was heard of them. */
export class Members {
  readonly torrents: Torrents
  readonly peers: PeerTable
  readonly clients: Clients
  readonly accounts: Accounts | undefined
  readonly #spares: Spares
  readonly #wheel: Wheel
  readonly #address = new Int32Array(4)
  readonly #options: MembersOptions
  readonly #began: number
  readonly #secondsPerTick: number

  constructor(options: MembersOptions) {
    const { limits, accounts, ttl, now, random, secret, isMember = () => false } = options
    this.#options = options
    this.torrents = new Torrents(limits.swarms, limits.peers, secret)
    this.peers = new PeerTable(limits.peers, secret)
    this.clients = new Clients(limits.peers)
    this.accounts = accounts && new Accounts(limits.peers, accounts)
    const { torrents, peers, clients } = this
    this.#spares = new Spares({ torrents, peers, clients, isMember, random })
    // Who is restored was seen before the beginning.
    this.#began = now() - Math.max(ttl.address, ttl.socket) * 1000
    this.#secondsPerTick = Math.max(1, Math.ceil(Math.max(ttl.address, ttl.socket) / (ticksPerTurn - 2)))
    this.#wheel = new Wheel(limits.peers, ticksPerTurn, Math.floor(this.seconds() / this.#secondsPerTick))
  }

  /** The peer whose word it is, or -1. What came with another passkey is not its own: it ends the old one, unless it is a stop. */
  find(torrent: number, word: Announce): number {
    const { accounts } = this
    const peer = this.peers.find(torrent, word)
    if (accounts === undefined || peer === -1) return peer
    if (accounts.keyOf(peer) === word.key) {
      accounts.note(peer, word, this.seconds() - this.peers.seenAt(peer))
      return peer
    }
    if (word.event !== happened.stopped) this.#take(peer)
    return -1
  }

  /** The number of a torrent that nobody is in yet, or -1 when it is refused, with the reason in the answer. */
  open(word: Announce, answer: Answer): number {
    const isWelcome = this.#mayOpen(word)
    if (isWelcome && this.torrents.isFull) this.#giveUp(this.#spares.torrent())
    if (isWelcome && this.peers.isFull) this.#giveUpPeer(-1)
    const torrent = isWelcome && !this.peers.isFull ? this.torrents.insert(word.infoHash) : -1
    if (torrent === -1) answer.refuse(isWelcome ? full : hasty)
    return torrent
  }

  #mayOpen({ kind, address }: Announce): boolean {
    const { mayOpen } = this.#options
    if (mayOpen === undefined) return true
    if (kind !== kinds.socket) return mayOpen(kind, address)
    const host = this.clients.hostOf(address[0] as number)
    if (host === undefined || host.isMember) return true
    this.#address[0] = host.high
    this.#address[1] = host.low
    return mayOpen(host.kind, this.#address)
  }

  #giveUpPeer(except: number): void {
    const peer = this.#spares.peer(except)
    if (peer !== -1) this.drop(peer)
  }

  #giveUp(torrent: number): void {
    for (let left = torrent === -1 ? 0 : this.torrents.members(torrent); left > 0; left--)
      this.drop(this.torrents.memberAt(torrent, 0))
  }

  /** The number of a newcomer, or -1 when it is refused, with the reason in the answer. */
  join(torrent: number, word: Announce, answer: Answer): number {
    const { limits } = this.#options
    if (this.accounts?.isFull(word.key) === true) return this.#turnAway(torrent, crowded, answer)
    const isCrowded = this.torrents.members(torrent) >= limits.peersPerSwarm
    if (this.peers.isFull && !isCrowded) this.#giveUpPeer(torrent)
    if (this.peers.isFull || isCrowded) this.#makeRoom(torrent)
    const peer = this.peers.insert()
    if (peer === -1) return this.#turnAway(torrent, full, answer)
    const flags = (saysComplete(word) ? isComplete : 0) | (word.event === happened.paused ? isPaused : 0)
    this.peers.note(peer, flags, this.seconds())
    const list = this.listOf(torrent, peer)
    const position = this.torrents.lists.add(list, peer)
    if (position === -1) {
      this.peers.remove(peer)
      return this.#turnAway(torrent, full, answer)
    }
    this.torrents.tally(list, 1)
    this.peers.setPosition(peer, position)
    this.torrents.addMembers(torrent, 1)
    if (flags === isPaused) this.torrents.addPaused(torrent, 1)
    this.#appoint(peer)
    if (word.kind === kinds.socket) this.clients.add(word.address[0] as number, peer)
    if (this.accounts !== undefined) this.accounts.join(peer, word)
    return peer
  }

  #turnAway(torrent: number, reason: string, answer: Answer): -1 {
    if (this.torrents.members(torrent) === 0) this.torrents.close(torrent)
    answer.refusal = reason
    return -1
  }

  update(torrent: number, peer: number, word: Announce): void {
    const before = this.peers.flagsOf(peer)
    // Who does not know the size says nothing of how much is missing.
    const knows = word.event === happened.completed || !Number.isNaN(word.left)
    const complete = knows ? (saysComplete(word) ? isComplete : 0) : before & isComplete
    const after = complete | (word.event === happened.paused ? isPaused : 0)
    const list = this.listOf(torrent, peer)
    this.peers.note(peer, after, this.seconds())
    if (after === before) return
    if (complete > (before & isComplete)) this.torrents.setDownloaded(torrent, this.torrents.downloaded(torrent) + 1)
    const other = this.listOf(torrent, peer)
    if (list !== other) {
      const position = this.torrents.lists.add(other, peer)
      // Without memory for the other list the peer stays as it was.
      if (position === -1) {
        this.peers.note(peer, before, this.seconds())
        return
      }
      this.#unlist(list, peer)
      this.torrents.tally(other, 1)
      this.peers.setPosition(peer, position)
    }
    this.torrents.addPaused(torrent, Number(after === isPaused) - Number(before === isPaused))
  }

  /** Of some at random in a full swarm, the one that was not heard of for the longest time gives way. */
  #makeRoom(torrent: number): void {
    const members = this.torrents.members(torrent)
    let oldest = -1
    for (let i = 0; i < candidates && members > 0; i++) {
      const peer = this.torrents.memberAt(torrent, Math.floor(this.#options.random() * members))
      if (oldest === -1 || this.peers.seenAt(peer) < this.peers.seenAt(oldest)) oldest = peer
    }
    // The swarm itself stays open for the newcomer, even if it was the only member.
    if (oldest !== -1) this.#take(oldest)
  }

  drop(peer: number): void {
    this.#wheel.remove(peer)
    this.#forget(peer)
  }

  #forget(peer: number): void {
    const torrent = this.peers.torrentOf(peer)
    this.#remove(peer)
    if (this.torrents.members(torrent) === 0) this.torrents.close(torrent)
  }

  #take(peer: number): void {
    this.#wheel.remove(peer)
    this.#remove(peer)
  }

  #remove(peer: number): void {
    const torrent = this.peers.torrentOf(peer)
    this.#unlist(this.listOf(torrent, peer), peer)
    if (this.peers.flagsOf(peer) === isPaused) this.torrents.addPaused(torrent, -1)
    if (this.peers.kindOf(peer) === kinds.socket) this.clients.remove(this.peers.clientOf(peer), peer)
    if (this.accounts !== undefined) this.accounts.leave(peer)
    this.torrents.addMembers(torrent, -1)
    this.peers.remove(peer)
  }

  #unlist(list: number, peer: number): void {
    const position = this.peers.positionOf(peer)
    const moved = this.torrents.lists.remove(list, position)
    this.torrents.tally(list, -1)
    if (moved !== -1) this.peers.setPosition(moved, position)
  }

  /** Makes a peer as old as it was before a restart. */
  setAge(peer: number, seconds: number): void {
    this.peers.note(peer, this.peers.flagsOf(peer), Math.max(0, this.seconds() - seconds))
    this.#wheel.remove(peer)
    this.#appoint(peer)
  }

  /** Forgets peers that were not heard of for long, at most `most` at once. @returns whether some are left */
  expire(most: number): boolean {
    const now = this.seconds()
    return this.#wheel.advance(Math.floor(now / this.#secondsPerTick), most, (peer) => {
      if (this.#due(peer) > now) this.#appoint(peer)
      else this.#forget(peer)
    })
  }

  listOf(torrent: number, peer: number): number {
    return this.torrents.givers(torrent, this.peers.kindOf(peer)) + (this.peers.flagsOf(peer) === 0 ? 1 : 0)
  }

  /** Now, as `PeerTable` notes it. */
  seconds(): number {
    return Math.floor((this.#options.now() - this.#began) / 1000)
  }

  #due(peer: number): number {
    const { ttl } = this.#options
    return this.peers.seenAt(peer) + (this.peers.kindOf(peer) === kinds.socket ? ttl.socket : ttl.address)
  }

  #appoint(peer: number): void {
    this.#wheel.add(peer, Math.floor(this.#due(peer) / this.#secondsPerTick))
  }
}

const saysComplete = ({ event, left }: Announce): boolean => left === 0 || event === happened.completed
