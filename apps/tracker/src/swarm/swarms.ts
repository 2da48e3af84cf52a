import { Announce, happened, kinds, type Kind } from './announce.ts'
import { Answer, mostPeers, type Counts } from './answer.ts'
import { Clients } from './clients.ts'
import { KeyTable } from './key-table.ts'
import { MemberLists } from './member-lists.ts'
import { PeerTable } from './peer-table.ts'
import { Wheel } from './wheel.ts'

export interface SwarmsOptions {
  /** All of them are sizes of tables: memory is reserved for so many, and taken as they come. */
  limits: { swarms: number; peersPerSwarm: number; peers: number }
  /** Seconds after its last announce until a peer is forgotten. */
  ttl: { address: number; socket: number }
  /** Milliseconds. */
  now: () => number
  /** From 0 to below 1: whom a peer is told of. */
  random: () => number
  /** The same, which nobody can foresee. */
  secret: () => number
}

/** For each kind: those that only give (complete, or paused by BEP 21), then those that fetch. */
const listsPerSwarm = 6

const isComplete = 1
const isPaused = 2

/** How many are looked at to find the one that gives way in a full swarm. */
const candidates = 8

/** Out of so many times the wish peers are told in small groups: each is as likely as any other, and memory is read in order. */
const crowd = 8
const neighbours = 4

const ticksPerTurn = 256

const full = 'this tracker is full: try again later, or another one'

/**
 * Who has which torrent. No sockets, no timers, no objects: columns of numbers, in which every announce, stop, expiry and
 * random choice takes the same time however large a swarm is.
 */
export class Swarms {
  readonly #torrents: KeyTable
  readonly #peers: PeerTable
  readonly #lists: MemberLists
  readonly #wheel: Wheel
  readonly #clients: Clients
  // Columns of torrents.
  readonly #members: Int32Array
  readonly #paused: Int32Array
  readonly #downloaded: Uint32Array
  readonly #options: SwarmsOptions
  readonly #began: number
  readonly #secondsPerTick: number

  constructor(options: SwarmsOptions) {
    const { limits, ttl, now, secret } = options
    this.#options = options
    this.#torrents = new KeyTable(limits.swarms, 5, 5, secret)
    this.#peers = new PeerTable(limits.peers, secret)
    this.#lists = new MemberLists(limits.swarms * listsPerSwarm, limits.peers)
    this.#clients = new Clients(limits.peers)
    this.#members = new Int32Array(limits.swarms)
    this.#paused = new Int32Array(limits.swarms)
    this.#downloaded = new Uint32Array(limits.swarms)
    // Who is restored was seen before the beginning.
    this.#began = now() - Math.max(ttl.address, ttl.socket) * 1000
    this.#secondsPerTick = Math.max(1, Math.ceil(Math.max(ttl.address, ttl.socket) / (ticksPerTurn - 2)))
    this.#wheel = new Wheel(limits.peers, ticksPerTurn, Math.floor(this.#seconds() / this.#secondsPerTick))
  }

  get swarms(): number {
    return this.#torrents.size
  }

  get peers(): number {
    return this.#peers.size
  }

  openClient(): number {
    return this.#clients.open()
  }

  /** Takes a client out of every swarm. */
  closeClient(client: number): void {
    this.leave(client)
    this.#clients.close(client)
  }

  leave(client: number): void {
    for (let peer = this.#clients.first(client); peer !== -1; peer = this.#clients.first(client)) this.#drop(peer)
  }

  /** In how many swarms a client is. */
  swarmsOf(client: number): number {
    return this.#clients.count(client)
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
    let torrent = this.#torrents.find(word.infoHash)
    const isStop = word.event === happened.stopped
    if (torrent === -1) {
      if (!isStop && !this.#peers.isFull) torrent = this.#torrents.insert(word.infoHash)
      if (torrent === -1) {
        if (!isStop) answer.refusal = full
        answer.complete = 0
        answer.incomplete = 0
        return
      }
    }
    let peer = this.#peers.find(torrent, word)
    if (isStop) {
      if (peer !== -1) this.#drop(peer)
    } else if (peer === -1) {
      peer = this.#join(torrent, word)
      if (peer === -1) answer.refusal = full
    } else this.#update(torrent, peer, word)
    // The last stop has closed the torrent, whose columns are zero then.
    answer.complete = this.#complete(torrent)
    answer.incomplete = (this.#members[torrent] as number) - answer.complete
    if (isStop || peer === -1 || word.wanted <= 0) return
    answer.count = this.#choose(torrent, word.kind, peer, word, answer.peers)
    if (word.kind === kinds.socket) return
    const other = word.kind === kinds.ipv4 ? kinds.ipv6 : kinds.ipv4
    const wanted = word.wanted - answer.count
    answer.otherCount = this.#choose(torrent, other, peer, { wanted, event: word.event }, answer.others)
  }

  /** Zeros for a torrent that nobody has announced. */
  counts(infoHash: Int32Array, into: Counts): void {
    const torrent = this.#torrents.find(infoHash)
    into.complete = torrent === -1 ? 0 : this.#complete(torrent)
    into.incomplete = torrent === -1 ? 0 : (this.#members[torrent] as number) - into.complete
    into.downloaded = torrent === -1 ? 0 : (this.#downloaded[torrent] as number)
    into.downloaders = torrent === -1 ? 0 : into.incomplete - (this.#paused[torrent] as number)
  }

  /** Writes the address and port of a peer as 6 or 18 bytes (BEP 23, BEP 7). @returns where the next one goes */
  writePeer(peer: number, into: Uint8Array, start: number): number {
    return this.#peers.write(peer, into, start)
  }

  /** Every peer that has an address, as it could announce itself again, how many seconds ago it did, and its torrent's downloads. */
  save(visit: (word: Announce, age: number, downloaded: number) => void): void {
    const word = new Announce()
    const now = this.#seconds()
    this.#peers.forEach((peer) => {
      if (this.#peers.kindOf(peer) === kinds.socket) return
      const torrent = this.#peers.torrentOf(peer)
      const flags = this.#peers.flagsOf(peer)
      word.infoHash.set(this.#torrents.records.subarray(torrent * 5, torrent * 5 + 5))
      this.#peers.read(peer, word)
      word.event = (flags & isPaused) === 0 ? happened.update : happened.paused
      word.left = (flags & isComplete) === 0 ? 1 : 0
      visit(word, now - this.#peers.seenAt(peer), this.#downloaded[torrent] as number)
    })
  }

  /** Takes back what `save` gave, some seconds older, unless the peer has announced itself meanwhile. */
  restore(word: Announce, age: number, downloaded: number): void {
    const answer = restored
    if (this.#peers.find(this.#torrents.find(word.infoHash), word) !== -1) return
    this.announce(word, answer)
    const torrent = this.#torrents.find(word.infoHash)
    const peer = this.#peers.find(torrent, word)
    if (answer.refusal !== '' || peer === -1) return
    this.#downloaded[torrent] = Math.max(this.#downloaded[torrent] as number, downloaded)
    this.#peers.note(peer, this.#peers.flagsOf(peer), Math.max(0, this.#seconds() - age))
    this.#wheel.remove(peer)
    this.#appoint(peer)
  }

  /** Forgets peers that were not heard of for long, at most `most` at once. @returns whether some are left */
  expire(most: number): boolean {
    const now = this.#seconds()
    return this.#wheel.advance(Math.floor(now / this.#secondsPerTick), most, (peer) => {
      if (this.#due(peer) > now) this.#appoint(peer)
      else this.#forget(peer)
    })
  }

  #join(torrent: number, word: Announce): number {
    const { limits } = this.#options
    if (this.#peers.isFull || (this.#members[torrent] as number) >= limits.peersPerSwarm) this.#makeRoom(torrent)
    const peer = this.#peers.insert()
    if (peer === -1) return -1
    const flags = (saysComplete(word) ? isComplete : 0) | (word.event === happened.paused ? isPaused : 0)
    this.#peers.note(peer, flags, this.#seconds())
    const position = this.#lists.add(this.#listOf(torrent, peer), peer)
    if (position === -1) {
      this.#peers.remove(peer)
      if (this.#members[torrent] === 0) this.#close(torrent)
      return -1
    }
    this.#peers.setPosition(peer, position)
    this.#members[torrent] = (this.#members[torrent] as number) + 1
    if (flags === isPaused) this.#paused[torrent] = (this.#paused[torrent] as number) + 1
    this.#appoint(peer)
    if (word.kind === kinds.socket) this.#clients.add(word.address[0] as number, peer)
    return peer
  }

  #update(torrent: number, peer: number, word: Announce): void {
    const before = this.#peers.flagsOf(peer)
    // Who does not know the size says nothing of how much is missing.
    const knows = word.event === happened.completed || !Number.isNaN(word.left)
    const complete = knows ? (saysComplete(word) ? isComplete : 0) : before & isComplete
    const after = complete | (word.event === happened.paused ? isPaused : 0)
    const list = this.#listOf(torrent, peer)
    this.#peers.note(peer, after, this.#seconds())
    if (after === before) return
    if (complete > (before & isComplete)) this.#downloaded[torrent] = (this.#downloaded[torrent] as number) + 1
    const other = this.#listOf(torrent, peer)
    if (list !== other) {
      const position = this.#lists.add(other, peer)
      // Without memory for the other list the peer stays as it was.
      if (position === -1) {
        this.#peers.note(peer, before, this.#seconds())
        return
      }
      this.#unlist(list, peer)
      this.#peers.setPosition(peer, position)
    }
    const change = Number(after === isPaused) - Number(before === isPaused)
    this.#paused[torrent] = (this.#paused[torrent] as number) + change
  }

  /** Of some at random in a full swarm, the one that was not heard of for the longest time gives way. */
  #makeRoom(torrent: number): void {
    const members = this.#members[torrent] as number
    let oldest = -1
    for (let i = 0; i < candidates && members > 0; i++) {
      let position = Math.floor(this.#options.random() * members)
      let list = torrent * listsPerSwarm
      while (position >= this.#lists.count(list)) position -= this.#lists.count(list++)
      const peer = this.#lists.at(list, position)
      if (oldest === -1 || this.#peers.seenAt(peer) < this.#peers.seenAt(oldest)) oldest = peer
    }
    // The swarm itself stays open for the newcomer, even if it was the only member.
    if (oldest !== -1) this.#take(oldest)
  }

  #drop(peer: number): void {
    this.#wheel.remove(peer)
    this.#forget(peer)
  }

  #forget(peer: number): void {
    const torrent = this.#peers.torrentOf(peer)
    this.#remove(peer)
    if (this.#members[torrent] === 0) this.#close(torrent)
  }

  #take(peer: number): void {
    this.#wheel.remove(peer)
    this.#remove(peer)
  }

  #remove(peer: number): void {
    const torrent = this.#peers.torrentOf(peer)
    this.#unlist(this.#listOf(torrent, peer), peer)
    if (this.#peers.flagsOf(peer) === isPaused) this.#paused[torrent] = (this.#paused[torrent] as number) - 1
    if (this.#peers.kindOf(peer) === kinds.socket) this.#clients.remove(this.clientOf(peer), peer)
    this.#members[torrent] = (this.#members[torrent] as number) - 1
    this.#peers.remove(peer)
  }

  #close(torrent: number): void {
    this.#downloaded[torrent] = 0
    this.#torrents.remove(torrent)
  }

  #unlist(list: number, peer: number): void {
    const position = this.#peers.positionOf(peer)
    const moved = this.#lists.remove(list, position)
    if (moved !== -1) this.#peers.setPosition(moved, position)
  }

  /** One of each of so many equal parts of all who may be told, so that nobody is told twice. */
  #choose(
    torrent: number,
    kind: Kind,
    asker: number,
    { wanted, event }: Pick<Announce, 'wanted' | 'event'>,
    into: Int32Array,
  ): number {
    const givers = torrent * listsPerSwarm + kind * 2
    const own = this.#listOf(torrent, asker)
    const isGiver = (own & 1) === 0
    // Who fetches nothing has no use for those who fetch nothing either. Some say at first that nothing is left while
    // they have nothing but a magnet (aria2).
    const giving = isGiver && event !== happened.started ? 0 : this.#lists.count(givers)
    const all = giving + this.#lists.count(givers + 1)
    const isAmongGiving = own === givers && giving > 0
    const isAmong = isAmongGiving || own === givers + 1
    const self = isAmong ? this.#peers.positionOf(asker) + (isAmongGiving ? 0 : giving) : all
    const others = self < all ? all - 1 : all
    const count = Math.min(wanted, others, mostPeers)
    const run = others > crowd * count ? neighbours : 1
    const { random } = this.#options
    let start = 0
    let part = 0
    let offset = 0
    for (let i = 0; i < count; i++) {
      if (i % run === 0) {
        start += part
        part = Math.floor((Math.min(i + run, count) * others) / count) - start
        offset = part > 1 ? Math.floor(random() * part) : 0
      } else if (++offset === part) offset = 0
      const position = start + offset
      const at = position < self ? position : position + 1
      into[i] = at < giving ? this.#lists.at(givers, at) : this.#lists.at(givers + 1, at - giving)
    }
    return count
  }

  #complete(torrent: number): number {
    const first = torrent * listsPerSwarm
    const giving = this.#lists.count(first) + this.#lists.count(first + 2) + this.#lists.count(first + 4)
    return giving - (this.#paused[torrent] as number)
  }

  #listOf(torrent: number, peer: number): number {
    return torrent * listsPerSwarm + this.#peers.kindOf(peer) * 2 + (this.#peers.flagsOf(peer) === 0 ? 1 : 0)
  }

  #seconds(): number {
    return Math.floor((this.#options.now() - this.#began) / 1000)
  }

  #due(peer: number): number {
    const { ttl } = this.#options
    return this.#peers.seenAt(peer) + (this.#peers.kindOf(peer) === kinds.socket ? ttl.socket : ttl.address)
  }

  #appoint(peer: number): void {
    this.#wheel.add(peer, Math.floor(this.#due(peer) / this.#secondsPerTick))
  }
}

const restored = new Answer()

const saysComplete = ({ event, left }: Announce): boolean => left === 0 || event === happened.completed
