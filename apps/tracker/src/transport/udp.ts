import { InvalidInputError } from '@eldernode/core'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { type Entrance, type Gate, noKey, wrongKey } from '../access/index.ts'
import { Announce, Answer, kinds, type Swarms } from '../swarm/index.ts'
import {
  parseUdp,
  readPath,
  scrapedHashes,
  TrackerPath,
  udpActions,
  UdpRequest,
  writeAnnounce,
  writeConnect,
  writeError,
  writeScrape,
} from '../wire/index.ts'
import { parseAddress } from './address.ts'
import type { ConnectionIds } from './connection-id.ts'
import type { Counts, Reason } from './counts.ts'
import type { Manners } from './manners.ts'
import type { CountsOf, Sender, Shards } from './shards.ts'

interface UdpTransportOptions {
  swarms: Swarms
  gate: Gate
  entrance: Entrance
  counts: Counts
  manners: Manners
  /** Absent where this process keeps all torrents. */
  shards?: Shards | undefined
  /** Seconds. */
  interval: number
  ids: ConnectionIds
}

/** The kernel keeps so many bytes for us while we are busy. */
const receiveBuffer = 4 * 1024 * 1024

/** No answer is longer: 200 peers of IPv4 or 72 of IPv6. */
const longestAnswer = 1472

const actionNames = ['connect', 'announce', 'scrape'] as const

/** BEP 15 and BEP 41 on one socket. It answers nobody who has not proved to own the address. */
export class UdpTransport {
  readonly #options: UdpTransportOptions
  readonly #ids: ConnectionIds
  // All of them are used again for every packet.
  readonly #word = new Announce()
  readonly #answer = new Answer()
  readonly #request = new UdpRequest()
  readonly #path = new TrackerPath()
  readonly #out = Buffer.alloc(longestAnswer)
  readonly #countsOf: Swarms['counts']
  #socket: Socket | undefined

  constructor(options: UdpTransportOptions) {
    this.#options = options
    this.#ids = options.ids
    this.#countsOf = (infoHash, counts) => options.entrance.counts(infoHash, noKey, counts)
  }

  /** Rejects with the system's error when the port cannot be had. */
  async start(host: string, port: number, isShared = false): Promise<void> {
    const family = isIP(host) === 6 ? 6 : 4
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      reusePort: isShared,
      // What is sent to is an address already.
      lookup: (address, _options, found) => found(null, address, family),
    })
    // With such a lookup it may listen before `bind` returns.
    const listening = once(socket, 'listening')
    socket.bind(port, host)
    await listening
    // The system may grant less.
    socket.setRecvBufferSize(receiveBuffer)
    socket.on('message', (packet, from) => this.#onPacket(socket, packet, from))
    socket.on('error', (error) => this.#options.counts.failed('udp', error))
    this.#socket = socket
  }

  get isListening(): boolean {
    return this.#socket !== undefined
  }

  async stop(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    if (socket) await new Promise<void>((resolve) => socket.close(resolve))
  }

  /** A packet that another worker got, whose sender is known to own its address. */
  take(packet: Buffer, address: string, port: number): void {
    const word = this.#word
    const kind = parseAddress(address, word.address)
    const socket = this.#socket
    if (kind === undefined || socket === undefined || socket.getSendQueueCount() > 0)
      return void this.#refuse('congested')
    word.kind = kind
    parseUdp(packet, this.#request, word)
    const length = this.#announce(packet, { address, port })
    socket.send(this.#out, 0, length, port, address)
  }

  #onPacket(socket: Socket, packet: Buffer, from: RemoteInfo): void {
    const { counts } = this.#options
    // One buffer serves all answers. While the system has not taken it, further ones are lost as on a full line.
    if (socket.getSendQueueCount() > 0) return counts.refused('udp', 'congested')
    const length = this.#answerTo(packet, from)
    if (length > 0) socket.send(this.#out, 0, length, from.port, from.address)
  }

  /** @returns the length of the answer in `#out`, or 0 */
  #answerTo(packet: Buffer, from: RemoteInfo): number {
    const { counts, manners } = this.#options
    const word = this.#word
    const request = this.#request
    const kind = parseAddress(from.address, word.address)
    // A forged packet may carry port 0, to which nothing can be sent.
    if (kind === undefined || from.port === 0) return this.#refuse()
    word.kind = kind
    try {
      parseUdp(packet, request, word)
    } catch (error) {
      // A malformed packet draws no answer: its sender may be forged.
      if (error instanceof InvalidInputError) return this.#refuse()
      throw error
    }
    const { action, transaction } = request
    if (action !== udpActions.connect) {
      if (!this.#ids.isValid(request.high, request.low, word.address, from.port)) return this.#refuse('forged')
      if (!manners.permits(kind, word.address)) return this.#refuse('limit')
    }
    counts.answered('udp', actionNames[action])
    if (action === udpActions.connect) {
      this.#ids.issue(word.address, from.port)
      return writeConnect(this.#out, transaction, this.#ids.high, this.#ids.low)
    }
    if (action === udpActions.announce) return this.#announce(packet, from)
    // A scrape has no room for a passkey (BEP 41 speaks of announces alone).
    const refusal = this.#options.gate.refusalOfKey(noKey)
    if (refusal !== '') return writeError(this.#out, transaction, refusal)
    if (this.#options.shards !== undefined) return this.#scrapeAll(this.#options.shards, packet, from)
    return writeScrape(this.#out, packet, request, this.#countsOf)
  }

  #announce(packet: Buffer, from: Sender): number {
    const { swarms, gate, entrance, manners, shards, interval } = this.#options
    const word = this.#word
    const answer = this.#answer
    if (word.port === 0) word.port = from.port
    const { urlData, transaction } = this.#request
    const passkey = urlData !== '' && readPath(urlData, this.#path) ? this.#path.passkey : ''
    // Many clients send no path over UDP, and cannot help it.
    word.key = passkey === '' ? noKey : gate.keyOf(passkey)
    if (word.key === wrongKey && word.kind !== kinds.socket) manners.refused(word.kind, word.address, 'wrong passkey')
    else if (shards !== undefined && shards.of(word.infoHash[0] as number) !== shards.own) {
      shards.pass(shards.of(word.infoHash[0] as number), packet, from)
      return 0
    }
    entrance.announce(word, answer)
    if (answer.refusal !== '') return writeError(this.#out, transaction, answer.refusal)
    return writeAnnounce(this.#out, transaction, interval, answer, swarms)
  }

  /** A scrape of torrents that other workers keep, too. */
  #scrapeAll(shards: Shards, packet: Buffer, { address, port }: Sender): number {
    const infoHashes = scrapedHashes(packet, this.#request)
    shards.counts(infoHashes, noKey, (countsOf: CountsOf) => {
      const socket = this.#socket
      if (socket === undefined || socket.getSendQueueCount() > 0) return void this.#refuse('congested')
      parseUdp(packet, this.#request, this.#word)
      const length = writeScrape(this.#out, packet, this.#request, countsOf)
      socket.send(this.#out, 0, length, port, address)
    })
    return 0
  }

  #refuse(reason: Reason = 'malformed'): number {
    this.#options.counts.refused('udp', reason)
    return 0
  }
}
