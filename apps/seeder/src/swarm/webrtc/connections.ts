import { isIP } from 'node:net'
import { PeerConnection, setSctpSettings } from 'node-datachannel'
import type { DataChannel } from 'node-datachannel'
import type { Egress } from '../../egress/index.ts'
import { Channel } from './channel.ts'
import { withAllowedCandidates } from './sdp.ts'

export interface ConnectionsOptions {
  egress: Egress
  /** Address to bind UDP sockets to; every one when absent, unspecified or a name. */
  host?: string
  /** STUN and TURN URLs (RFC 7064, 7065). */
  iceServers: readonly string[]
  /** Connections open or being made, of all items together. */
  maxConnections: number
  /** Milliseconds an answered offer may take to connect. */
  answerTimeout?: number
  /** Milliseconds an offer of this node waits for an answer and a connection. */
  offerTimeout?: number
}

/**
 * Bytes under way to one peer at most (the library's default is 1 MiB). Bursts that overflow a receiver's socket are
 * what its retransmission is needed for, see `stallAfter`; 256 KiB still fill 20 Mbit/s at 100 ms.
 */
setSctpSettings({ sendBufferSize: 256 * 1024 })

const unspecified = new Set(['0.0.0.0', '::'])

/** An offer of this node, out with a tracker. */
export interface PendingOffer {
  sdp: string
  /** Takes the answer of the peer whose id in hex is `peerId`; an offer is answered once. */
  accept(sdp: string, peerId: string): void
  close(): void
}

type Opened = (channel: Channel) => void

/**
 * Makes WebRTC connections on libdatachannel. Descriptions carry all candidates, as trackers pass on one message each
 * way; they are complete when gathering says so, which for a node without STUN takes milliseconds.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  /** Each with the time-out of its making. */
  readonly #open = new Map<PeerConnection, NodeJS.Timeout>()

  maxConnections: number

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.maxConnections = options.maxConnections
  }

  get size(): number {
    return this.#open.size
  }

  get full(): boolean {
    return this.#open.size >= this.maxConnections
  }

  /** Answers an offer. @throws Error when the description is malformed */
  async answer(sdp: string, peerId: string, opened: Opened): Promise<string> {
    const connection = this.#connect(this.#options.answerTimeout ?? 25_000)
    let taken = false
    connection.onDataChannel((channel) => {
      if (taken) return channel.close()
      taken = true
      this.#whenOpen(connection, channel, () => peerId, opened)
    })
    try {
      return await described(connection, () => {
        connection.setRemoteDescription(withAllowedCandidates(sdp, this.#options.egress), 'offer')
      })
    } catch (error) {
      this.#close(connection)
      throw error
    }
  }

  async offer(opened: Opened): Promise<PendingOffer> {
    const connection = this.#connect(this.#options.offerTimeout ?? 50_000)
    let remote = ''
    try {
      const sdp = await described(connection, () => {
        this.#whenOpen(connection, connection.createDataChannel('webtorrent'), () => remote, opened)
      })
      return {
        sdp,
        accept: (answer, peerId) => {
          if (remote !== '') return
          remote = peerId
          try {
            connection.setRemoteDescription(withAllowedCandidates(answer, this.#options.egress), 'answer')
          } catch {
            this.#close(connection)
          }
        },
        close: () => this.#close(connection),
      }
    } catch (error) {
      this.#close(connection)
      throw error
    }
  }

  close(): void {
    for (const connection of this.#open.keys()) this.#close(connection)
  }

  #connect(timeout: number): PeerConnection {
    const { host, iceServers } = this.#options
    const connection = new PeerConnection('eldernode', {
      iceServers: [...iceServers],
      maxMessageSize: 262_144,
      ...(host !== undefined && isIP(host) !== 0 && !unspecified.has(host) && { bindAddress: host }),
    })
    const timer = setTimeout(() => this.#close(connection), timeout)
    timer.unref()
    this.#open.set(connection, timer)
    connection.onStateChange((state) => {
      if (state === 'closed' || state === 'failed') this.#close(connection)
    })
    return connection
  }

  #whenOpen(connection: PeerConnection, channel: DataChannel, peerId: () => string, opened: Opened): void {
    let done = false
    const open = (): void => {
      if (done || !this.#open.has(connection)) return
      done = true
      // Not sooner: a peer that connects and opens no channel would keep its place for good.
      clearTimeout(this.#open.get(connection))
      const stream = new Channel(peerId(), channel, connection)
      stream.once('close', () => this.#close(connection))
      stream.on('error', () => {})
      opened(stream)
    }
    channel.onOpen(open)
    if (channel.isOpen()) open()
  }

  #close(connection: PeerConnection): void {
    clearTimeout(this.#open.get(connection))
    if (!this.#open.delete(connection)) return
    try {
      connection.close()
    } catch {
      // Closed by the library already.
    }
  }
}

/** A STUN server that does not answer must not hold a description back for longer. */
const gatheringTimeout = 3_000

/** Runs what sets the local description off, and resolves with it once every candidate is in it. */
function described(connection: PeerConnection, begin: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      const description = connection.localDescription()
      if (description === null) reject(new Error('no local description was made'))
      else resolve(description.sdp)
    }
    const timer = setTimeout(settle, gatheringTimeout)
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') settle()
    })
    try {
      begin()
    } catch (error) {
      clearTimeout(timer)
      reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
