import type { kinds } from './announce.ts'

/** Who calls: the first words of an address, as far as limits count by it. */
export interface Host {
  kind: typeof kinds.ipv4 | typeof kinds.ipv6
  high: number
  low: number
  isMember: boolean
}

/** Who speaks through a socket, as a number, and the peers that each has: a list through columns, so that a leave is O(1). */
export class Clients {
  readonly #first: number[] = []
  readonly #counts: number[] = []
  readonly #hosts: Host[] = []
  readonly #freed: number[] = []
  readonly #next: Int32Array
  readonly #previous: Int32Array

  constructor(peers: number) {
    this.#next = new Int32Array(peers)
    this.#previous = new Int32Array(peers)
  }

  open(host: Host): number {
    const client = this.#freed.pop() ?? this.#first.length
    this.#first[client] = -1
    this.#counts[client] = 0
    this.#hosts[client] = host
    return client
  }

  /** Its peers must be gone. */
  close(client: number): void {
    this.#freed.push(client)
  }

  /** Where a client that is open calls from. */
  hostOf(client: number): Host | undefined {
    return this.#hosts[client]
  }

  /** One of its peers, or -1. */
  first(client: number): number {
    return this.#first[client] ?? -1
  }

  count(client: number): number {
    return this.#counts[client] ?? 0
  }

  add(client: number, peer: number): void {
    const next = this.first(client)
    this.#next[peer] = next
    this.#previous[peer] = -1
    if (next !== -1) this.#previous[next] = peer
    this.#first[client] = peer
    this.#counts[client] = this.count(client) + 1
  }

  remove(client: number, peer: number): void {
    const next = this.#next[peer] as number
    const previous = this.#previous[peer] as number
    if (next !== -1) this.#previous[next] = previous
    if (previous === -1) this.#first[client] = next
    else this.#next[previous] = next
    this.#counts[client] = this.count(client) - 1
  }
}
