import { InvalidInputError } from '@eldernode/core'
import type { Entrance } from '../access/index.ts'
import { Announce, Answer, type Counts, happened, kinds, type Swarms } from '../swarm/index.ts'
import {
  infoHashOf,
  longestPassed,
  refusalMessage,
  type SocketMessage,
  writeAcknowledgement,
  writeAnswer,
  writeOffer,
} from '../wire/index.ts'
import { OfferKeys } from './offer-keys.ts'
import { maxPeerIds, type Speaker } from './speaker.ts'

export interface SignallingOptions {
  swarms: Swarms
  entrance: Entrance
  limits: {
    /** Swarms that one speaker may be in: of a member, of anybody else. */
    swarmsPerMember: number
    swarmsPerSocket: number
  }
  /** Seconds. */
  interval: number
  /** From 0 to below 1. */
  random: () => number
  /** The same, which nobody can foresee. */
  secret: () => number
  /** An answer came that nobody waits for. */
  onStray: () => void
}

/**
 * WebTorrent's signalling: offers go to random peers of a swarm, answers go back to who offered. It knows no sockets: who
 * speaks here may sit behind one of this process or of another.
 */
export class Signalling {
  readonly #options: SignallingOptions
  readonly #word = new Announce()
  readonly #answer = new Answer()
  readonly #counts: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
  // Who speaks for a peer id: peer ids are known to the whole swarm.
  readonly #owners = new Map<string, Speaker>()
  readonly #byClient: (Speaker | undefined)[] = []
  readonly #offerKeys: OfferKeys
  /** An offer or answer on its way. */
  readonly #passed = Buffer.alloc(longestPassed)

  constructor(options: SignallingOptions) {
    this.#options = options
    this.#word.kind = kinds.socket
    this.#offerKeys = new OfferKeys(options.secret)
  }

  /** Throws `InvalidInputError`. */
  message(speaker: Speaker, message: SocketMessage): void {
    if (message.action === 'scrape') {
      const { key } = speaker.from
      this.scrape(speaker, message.infoHashTexts, (infoHash, into) =>
        this.#options.entrance.counts(infoHash, key, into),
      )
    } else this.#announce(speaker, message)
  }

  /** @param countsOf knows the counts, wherever the torrents are kept */
  scrape(
    speaker: Speaker,
    infoHashTexts: readonly string[],
    countsOf: (infoHash: Int32Array, into: Counts) => void,
  ): void {
    const counts = this.#counts
    const files = infoHashTexts.map((text) => {
      countsOf(infoHashOf(text), counts)
      const { complete, incomplete, downloaded, downloaders } = counts
      return `${text}:{"complete":${complete},"incomplete":${incomplete},"downloaded":${downloaded},"downloaders":${downloaders}}`
    })
    speaker.send(`{"action":"scrape","files":{${files.join(',')}}}`)
  }

  /** Takes all that spoke through it out of their swarms. */
  leave(speaker: Speaker): void {
    for (let one = speaker.first; one !== undefined; one = speaker.first) this.#forget(speaker, one.peerId)
  }

  #announce(speaker: Speaker, message: SocketMessage): void {
    const client = this.#clientOf(speaker, message)
    if (message.isAnswer) return this.#passAnswer(speaker, message)
    const { swarms, entrance, limits, interval, random } = this.#options
    const word = this.#word
    word.infoHash.set(message.infoHash)
    word.address[0] = client
    word.event = message.event
    word.left = message.left
    word.wanted = message.offers
    word.key = speaker.from.key
    word.uploaded = message.uploaded
    word.downloaded = message.downloaded
    const most = speaker.from.isMember ? limits.swarmsPerMember : limits.swarmsPerSocket
    if (this.#swarmsOf(speaker) >= most && !swarms.isMember(word.infoHash, client))
      throw new InvalidInputError(`one connection may be in ${most} torrents at most`)
    const answer = this.#answer
    entrance.announce(word, answer)
    if (answer.refusal !== '') return speaker.send(refusalMessage(answer.refusal, message))
    // A tenth of chance keeps those who came together from coming together for ever.
    const seconds = Math.max(1, Math.round(interval * (1 - random() / 10)))
    speaker.pass(this.#passed, writeAcknowledgement(message, answer, seconds, this.#passed))
    for (let i = 0; i < answer.count; i++) this.#passOffer(message, client, i, answer.peers[i] as number)
  }

  /** In how many swarms all are that speak through it. */
  #swarmsOf(speaker: Speaker): number {
    let count = 0
    for (let one = speaker.first; one !== undefined; one = one.next) count += this.#options.swarms.swarmsOf(one.client)
    return count
  }

  #passOffer(message: SocketMessage, from: number, which: number, peer: number): void {
    const to = this.#byClient[this.#options.swarms.clientOf(peer)]
    if (which >= message.offers || to === undefined) return
    to.offered(this.#offerKeys.keyOf(message, which, message.peerId), from)
    to.pass(this.#passed, writeOffer(message, which, this.#passed))
  }

  /** Only who was given an offer may answer it, and once. */
  #passAnswer(speaker: Speaker, message: SocketMessage): void {
    const client = speaker.answers(this.#offerKeys.keyOf(message, 0, message.answered))
    const to = client === -1 ? undefined : this.#ownerOf(message.answered, client)
    // The other one may have left meanwhile: that is nobody's fault.
    if (to !== undefined) to.pass(this.#passed, writeAnswer(message, this.#passed))
    else this.#options.onStray()
  }

  /** Who speaks for a peer id: still who did when it was this client's, or another one since. */
  #ownerOf(peerId: Buffer, client: number): Speaker | undefined {
    const last = this.#byClient[client]
    return last?.clientOf(peerId) === client ? last : this.#owners.get(peerId.toString('latin1'))
  }

  #clientOf(speaker: Speaker, message: SocketMessage): number {
    const known = speaker.clientOf(message.peerId)
    if (known !== undefined) return known
    const { event } = message
    const peerId = message.peerId.toString('latin1')
    const owner = this.#owners.get(peerId)
    if (owner !== undefined) this.#takeOver(owner, speaker, peerId, event)
    if (speaker.clients >= maxPeerIds) throw new InvalidInputError('too many peer ids on one connection')
    const client = this.#options.swarms.openClient(speaker.from)
    speaker.add(peerId, client)
    this.#owners.set(peerId, speaker)
    this.#byClient[client] = speaker
    return client
  }

  /**
   * A peer id that is in use is handed over only to a client at the same address (it reconnected before its old socket was
   * found dead), and never in order to stop it.
   */
  #takeOver(owner: Speaker, other: Speaker, peerId: string, event: number): void {
    const isSame =
      owner.from.kind === other.from.kind && owner.from.high === other.from.high && owner.from.low === other.from.low
    if (!isSame || event === happened.stopped)
      throw new InvalidInputError('this peer id is in use on another connection')
    this.#forget(owner, peerId)
  }

  #forget(speaker: Speaker, peerId: string): void {
    const client = speaker.remove(peerId)
    if (client === undefined) return
    this.#owners.delete(peerId)
    this.#byClient[client] = undefined
    this.#options.swarms.closeClient(client)
  }
}
