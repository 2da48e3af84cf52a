import type { PeerLink } from './peer-link.ts'
import { surplus } from './peer-link.ts'
import { Recency } from '../awake/recency.ts'
import { yielding } from './yielding.ts'

/** One origin may take a tenth of all, but a few in any case. */
const share = 10
const fewest = 8

/** Connections that are looked at for one place, those idle for the longest time first. */
const looks = 1_000

/**
 * The places for connections over TCP of all torrents together. When all are taken, one that was idle for a while, or
 * one of many from where nothing was ever asked for, makes room for a new one, so that nobody holds places by sitting on
 * them; one origin gets a part of them only.
 */
export class PeerSlots {
  readonly #links = new Recency<PeerLink>()
  readonly #byGroup = new Map<string, number>()
  readonly #now: () => number
  #maxConns: number
  #idleAfter: number
  #refused = 0

  /** `now` in milliseconds. */
  constructor(limits: { maxConns: number; idleAfter: number }, now: () => number) {
    this.#maxConns = limits.maxConns
    this.#idleAfter = limits.idleAfter
    this.#now = now
  }

  get size(): number {
    return this.#links.size
  }

  /** Connections refused since start. */
  get refused(): number {
    return this.#refused
  }

  /** Counts a connection that was refused for want of a place elsewhere. */
  refuse(): void {
    this.#refused++
  }

  /** Whether there may be a place for a peer that comes from there. */
  mayCome(origin: string | undefined): boolean {
    const most = Math.max(Math.ceil(this.#maxConns / share), fewest)
    const may = origin === undefined || (this.#byGroup.get(origin) ?? 0) < most
    if (!may) this.#refused++
    return may
  }

  /**
   * Takes a place. A peer that came must go when there is none; one that was called stays, for whom this node needs is
   * not up to others. Peers over WebRTC have places of their own.
   */
  take(link: PeerLink): boolean {
    const { type } = link.wire
    if (type !== 'tcpIncoming' && type !== 'tcpOutgoing') return true
    if (type === 'tcpIncoming' && !(this.mayCome(link.origin) && this.#makeRoom(link))) return false
    this.#links.add(link)
    if (link.group !== undefined) this.#byGroup.set(link.group, (this.#byGroup.get(link.group) ?? 0) + 1)
    link.wire.once('close', () => this.#release(link))
    return true
  }

  /** Applies at once: those idle for the longest time are closed. */
  limit({ maxConns, idleAfter }: { maxConns: number; idleAfter: number }): void {
    this.#maxConns = maxConns
    this.#idleAfter = idleAfter
    for (const link of surplus(this.#links, maxConns)) this.#close(link)
  }

  #makeRoom(newcomer: PeerLink): boolean {
    if (this.#links.size < this.#maxConns) return true
    const oldest = this.#links.first()
    const isIdle = oldest !== undefined && oldest.at + this.#idleAfter <= this.#now()
    const goes = isIdle
      ? oldest.thing
      : yielding(this.#links.head(looks), newcomer, this.#now(), (group) => this.#byGroup.get(group) ?? 0)
    if (goes === undefined) this.#refused++
    else this.#close(goes)
    return goes !== undefined
  }

  #close(link: PeerLink): void {
    this.#release(link)
    link.close()
  }

  #release(link: PeerLink): void {
    if (!this.#links.delete(link) || link.group === undefined) return
    const left = (this.#byGroup.get(link.group) ?? 1) - 1
    if (left === 0) this.#byGroup.delete(link.group)
    else this.#byGroup.set(link.group, left)
  }
}
