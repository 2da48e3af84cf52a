import { OpenOffers } from './open-offers.ts'
import type { Host } from '../swarm/index.ts'

/** Clients behind one speaker: a browser page runs one, rarely some more. */
export const maxPeerIds = 16

/** Who calls. */
export interface Caller extends Host {
  /** The number of the passkey in the path that it called. */
  key: number
}

/** Who speaks: a peer id of 20 characters and its number. */
export interface Client {
  peerId: string
  client: number
  next: Client | undefined
}

/** One end of a connection on which clients signal, wherever its socket is. */
export abstract class Speaker {
  readonly from: Caller
  /** The first of its clients; nearly every speaker has one. */
  first: Client | undefined
  clients = 0
  /** Offers that were passed on to it. */
  #offers: OpenOffers | undefined

  constructor(from: Caller) {
    this.from = from
  }

  /** @param text each byte of its UTF-8 as one character */
  abstract send(text: string): void

  /** @param bytes memory that others use as soon as this returns */
  pass(bytes: Buffer, length: number): void {
    this.send(bytes.toString('latin1', 0, length))
  }

  /** @param peerId 20 bytes */
  clientOf(peerId: Uint8Array): number | undefined {
    for (let one = this.first; one !== undefined; one = one.next) if (isSame(one.peerId, peerId)) return one.client
    return undefined
  }

  add(peerId: string, client: number): void {
    this.first = { peerId, client, next: this.first }
    this.clients++
  }

  /** @returns the number of the client that is gone, if it was one of these */
  remove(peerId: string): number | undefined {
    let before: Client | undefined
    for (let one = this.first; one !== undefined; before = one, one = one.next) {
      if (one.peerId !== peerId) continue
      if (before === undefined) this.first = one.next
      else before.next = one.next
      this.clients--
      return one.client
    }
    return undefined
  }

  /**
   * Remembers an offer that was passed on to it.
   *
   * @param client who offered
   */
  offered(key: number, client: number): void {
    this.#offers ??= new OpenOffers()
    this.#offers.add(key, client)
  }

  /** Who waits for this answer, and does no more; -1 when nobody does. */
  answers(key: number): number {
    return this.#offers?.take(key) ?? -1
  }

  /** Forgets offers that were not answered since it was called before. */
  forgetOffers(): void {
    if (this.#offers?.forget() === false) this.#offers = undefined
  }
}

const isSame = (text: string, bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if (text.charCodeAt(i) !== bytes[i]) return false
  return true
}
