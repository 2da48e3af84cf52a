import { kinds, type Announce, type Kind } from './announce.ts'
import { KeyTable } from './key-table.ts'

/** Words of a peer's key: torrent, kind and port, address. */
const keyWidth = 6

/** With its position in a list, and when it was heard of beside its flags: half a line of the processor's cache. */
const width = 8

/** Every peer of every torrent, known by its torrent and by its address and port or its client. */
export class PeerTable {
  readonly #table: KeyTable
  readonly #key = new Int32Array(keyWidth)

  constructor(capacity: number, random: () => number) {
    this.#table = new KeyTable(capacity, keyWidth, width, random)
  }

  get size(): number {
    return this.#table.size
  }

  get isFull(): boolean {
    return this.#table.size >= this.#table.capacity
  }

  find(torrent: number, { kind, port, address }: Announce): number {
    this.#fill(torrent, kind, port, address[0] as number)
    if (kind === kinds.ipv6) for (let i = 1; i < 4; i++) this.#key[2 + i] = address[i] as number
    return this.#table.find(this.#key)
  }

  findClient(torrent: number, client: number): number {
    this.#fill(torrent, kinds.socket, 0, client)
    return this.#table.find(this.#key)
  }

  /** A place for the peer that `find` has just not found, or -1. */
  insert(): number {
    return this.#table.insert(this.#key)
  }

  remove(peer: number): void {
    this.#table.remove(peer)
  }

  torrentOf(peer: number): number {
    return this.#table.records[peer * width] as number
  }

  kindOf(peer: number): number {
    return (this.#table.records[peer * width + 1] as number) >>> 16
  }

  clientOf(peer: number): number {
    return this.#table.records[peer * width + 2] as number
  }

  positionOf(peer: number): number {
    return this.#table.records[peer * width + 6] as number
  }

  setPosition(peer: number, position: number): void {
    this.#table.records[peer * width + 6] = position
  }

  flagsOf(peer: number): number {
    return (this.#table.records[peer * width + 7] as number) & 3
  }

  /** Seconds, as `note` was told. */
  seenAt(peer: number): number {
    return (this.#table.records[peer * width + 7] as number) >>> 2
  }

  /** @param flags 0 to 3 */
  note(peer: number, flags: number, seconds: number): void {
    this.#table.records[peer * width + 7] = (seconds << 2) | flags
  }

  forEach(visit: (peer: number) => void): void {
    this.#table.forEach(visit)
  }

  /** Fills in kind, address and port. */
  read(peer: number, into: Announce): void {
    const { records } = this.#table
    into.kind = this.kindOf(peer) as Kind
    into.port = (records[peer * width + 1] as number) & 0xffff
    for (let i = 0; i < 4; i++) into.address[i] = records[peer * width + 2 + i] as number
  }

  /** Writes address and port as 6 or 18 bytes. @returns where the next one goes */
  write(peer: number, into: Uint8Array, start: number): number {
    const { records } = this.#table
    const from = peer * width
    const kindAndPort = records[from + 1] as number
    const words = kindAndPort >>> 16 === kinds.ipv4 ? 1 : 4
    let at = start
    for (let i = 0; i < words; i++) {
      const word = records[from + 2 + i] as number
      into[at++] = word >>> 24
      into[at++] = word >>> 16
      into[at++] = word >>> 8
      into[at++] = word
    }
    into[at++] = kindAndPort >>> 8
    into[at++] = kindAndPort
    return at
  }

  #fill(torrent: number, kind: Kind, port: number, word: number): void {
    const key = this.#key
    key[0] = torrent
    key[1] = (kind << 16) | port
    key[2] = word
    key[3] = 0
    key[4] = 0
    key[5] = 0
  }
}
