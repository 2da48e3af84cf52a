import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Egress } from '../../egress/index.ts'
import { Deadlines } from './deadlines.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { compactPeers, compactPeers6 } from './peers.ts'
import { wanted } from './port.ts'
import type { Announce, AnnounceAnswer, Announcing, TrackerConnection } from './port.ts'

const protocolId = 0x41727101980n
const [actionConnect, actionAnnounce, actionError] = [0, 1, 3]
const events = { update: 0, completed: 1, started: 2, stopped: 3 }

/** A connection id is good for a minute (BEP 15); it is not used in its last seconds. */
const connectionIdLife = 50_000

/** Milliseconds until a packet counts as lost, and how often it is sent. */
const [usualPatience, sendings] = [4_000, 3]

interface Waiting {
  readonly transaction: number
  readonly packet: Buffer
  readonly socket: Socket
  sent: number
  resolve(answer: Buffer): void
  reject(error: Error): void
}

/** Announces by UDP (BEP 15), over one socket for all torrents. */
export class UdpTracker implements TrackerConnection {
  readonly #url: string
  readonly #node: Announcing
  readonly #now: () => number
  readonly #egress: Egress | undefined
  readonly #waiting: Deadlines<Waiting>
  /** The same in every announce, so that the tracker knows this node when its address changes. */
  readonly #key = randomInt(0x7fffffff)
  #opening: Promise<Socket> | null = null
  #connecting: Promise<bigint> | null = null
  #connectedAt = 0
  #family = 4

  constructor(url: string, node: Announcing, now: () => number, patience = usualPatience, egress?: Egress) {
    this.#url = url
    this.#node = node
    this.#now = now
    this.#egress = egress
    this.#waiting = new Deadlines(patience, now, (waiting) => this.#send(waiting))
  }

  async announce(announce: Announce): Promise<AnnounceAnswer> {
    const { infoHash, event, uploaded, downloaded, left } = announce
    const connectionId = await this.#connect()
    const packet = Buffer.alloc(98)
    packet.writeBigUInt64BE(connectionId, 0)
    packet.writeUInt32BE(actionAnnounce, 8)
    packet.write(infoHash, 16, 'hex')
    packet.write(this.#node.peerId, 36, 'hex')
    packet.writeBigUInt64BE(BigInt(downloaded), 56)
    packet.writeBigUInt64BE(BigInt(left), 64)
    packet.writeBigUInt64BE(BigInt(uploaded), 72)
    packet.writeUInt32BE(events[event], 80)
    packet.writeUInt32BE(this.#key, 88)
    packet.writeInt32BE(wanted(announce), 92)
    packet.writeUInt16BE(this.#node.port(), 96)
    const answer = await this.#exchange(packet)
    if (answer.length < 20) throw new TrackerFailedError(this.#url, 'the answer is too short')
    const peers = answer.subarray(20)
    return {
      interval: answer.readUInt32BE(8) * 1000,
      peers: this.#family === 6 ? compactPeers6(peers) : compactPeers(peers),
    }
  }

  close(): void {
    this.#drop(new TrackerFailedError(this.#url, 'this node is closing'))
  }

  #connect(): Promise<bigint> {
    const fresh = this.#now() - this.#connectedAt < connectionIdLife
    if (this.#connecting !== null && fresh) return this.#connecting
    this.#connectedAt = this.#now()
    const packet = Buffer.alloc(16)
    packet.writeBigUInt64BE(protocolId, 0)
    packet.writeUInt32BE(actionConnect, 8)
    const connecting = this.#exchange(packet).then((answer) => {
      if (answer.length < 16) throw new TrackerFailedError(this.#url, 'the answer is too short')
      return answer.readBigUInt64BE(8)
    })
    this.#connecting = connecting
    connecting.catch(() => {
      if (this.#connecting === connecting) this.#connecting = null
    })
    return connecting
  }

  /** Sends until an answer with the same action and transaction comes. */
  async #exchange(packet: Buffer): Promise<Buffer> {
    const opening = this.#socket()
    const socket = await opening
    // It is closed in this very moment, and what waits was told so before.
    if (this.#opening !== opening) throw new TrackerFailedError(this.#url, 'its socket was closed')
    const transaction = randomInt(0x7fffffff)
    packet.writeUInt32BE(transaction, 12)
    const answer = await new Promise<Buffer>((resolve, reject) => {
      this.#send({ transaction, packet, socket, sent: 0, resolve, reject })
    })
    const action = answer.readUInt32BE(0)
    const asked = packet.readUInt32BE(8)
    if (action === actionError && asked === actionAnnounce) {
      const reason = answer.subarray(8).toString('utf8')
      // Some trackers say so when they were started anew: it is no word about the torrent.
      if (!/connection.?id/i.test(reason)) throw new TrackerRefusedError(this.#url, reason)
      this.#connecting = null
      throw new TrackerFailedError(this.#url, reason)
    }
    if (action !== asked) throw new TrackerFailedError(this.#url, `action ${action}`)
    return answer
  }

  #send(waiting: Waiting): void {
    if (waiting.sent++ < sendings) {
      this.#waiting.begin(waiting)
      // What cannot be sent is sent again, as what was lost; a socket that broke says so itself.
      return waiting.socket.send(waiting.packet, () => {})
    }
    this.#connecting = null
    waiting.reject(new TrackerFailedError(this.#url, 'silence'))
    // Its name may lead elsewhere by now.
    if (this.#waiting.size === 0) this.#drop(new TrackerFailedError(this.#url, 'silence'))
  }

  #socket(): Promise<Socket> {
    const opening = (this.#opening ??= this.#open())
    // A node may start before its network or its names are there: the next announce tries anew.
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = null
    })
    return opening
  }

  async #open(): Promise<Socket> {
    const { hostname, port } = new URL(this.#url)
    const { address, family } = await this.#find(hostname.replace(/^\[|\]$/g, ''))
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    this.#family = family
    socket.on('error', (error) => this.#drop(new TrackerFailedError(this.#url, error.message, { cause: error })))
    socket.on('message', (message) => {
      if (message.length < 8) return
      const heard = message.readUInt32BE(4)
      this.#waiting.end(({ transaction }) => transaction === heard)?.resolve(message)
    })
    // A connected socket takes packets of the tracker only, and learns of a closed port.
    await new Promise<void>((resolve, reject) => {
      socket.connect(Number(port), address, (error?: Error) => {
        if (error === undefined || error === null) return resolve()
        socket.close()
        reject(new TrackerFailedError(this.#url, error.message, { cause: error }))
      })
    })
    socket.unref()
    return socket
  }

  /** The address that is then connected to: it is not looked up again. */
  async #find(host: string): Promise<{ address: string; family: number }> {
    if (this.#egress === undefined) return await lookup(host)
    this.#egress.assertAllowed(host)
    const [address = host] = await this.#egress.resolve(host)
    return { address, family: isIP(address) }
  }

  #drop(error: Error): void {
    for (const waiting of this.#waiting.clear()) waiting.reject(error)
    this.#connecting = null
    const opening = this.#opening
    this.#opening = null
    opening?.then(
      (socket) => socket.close(),
      () => {},
    )
  }
}
