import { InvalidInputError } from '@eldernode/core'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Engine } from '../swarm/index.ts'
import { connectAnswer, forEngine, parseUdp, type UdpRequest } from '../wire/index.ts'
import { plainAddress } from './client-address.ts'
import { ConnectionIds } from './connection-id.ts'
import type { Counts } from './counts.ts'

interface UdpTransportOptions {
  engine: Engine
  counts: Counts
  now: () => number
}

/** BEP 15 on one socket. It answers nobody who has not proved to own the address. */
export class UdpTransport {
  readonly #engine: Engine
  readonly #counts: Counts
  readonly #ids: ConnectionIds
  #socket: Socket | undefined

  constructor({ engine, counts, now }: UdpTransportOptions) {
    this.#engine = engine
    this.#counts = counts
    this.#ids = new ConnectionIds(now)
  }

  /** Rejects with the system's error when the port cannot be had. */
  async start(host: string, port: number): Promise<void> {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
    socket.bind(port, host)
    await once(socket, 'listening')
    socket.on('message', (message, from) => this.#onMessage(message, from))
    socket.on('error', (error) => this.#counts.failed('udp', error))
    this.#socket = socket
    this.#engine.udp4 = {
      send: (packet, _offset, _length, toPort, address) => this.#send(packet, toPort, address),
    }
  }

  async stop(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    this.#engine.udp4 = null
    if (socket) await new Promise<void>((resolve) => socket.close(resolve))
  }

  #onMessage(message: Buffer, { address: sender, port }: RemoteInfo): void {
    const address = plainAddress(sender)
    // A forged packet may carry port 0, to which nothing can be sent.
    if (address === undefined || port === 0) return this.#counts.refused('udp')
    const request = this.#parse(message)
    if (!request) return
    if (request.action === 'connect') {
      this.#send(connectAnswer(request.transactionId, this.#ids.issue(address, port)), port, address)
    } else if (this.#ids.isValid(request.connectionId, address, port)) {
      this.#engine.onUdpRequest(forEngine(request), { address, port, family: 'IPv4' })
    } else {
      return this.#counts.refused('udp')
    }
    this.#counts.answered('udp', request.action)
  }

  #parse(message: Buffer): UdpRequest | undefined {
    try {
      return parseUdp(message)
    } catch (error) {
      // A malformed packet draws no answer: its sender may be forged.
      if (!(error instanceof InvalidInputError)) throw error
      this.#counts.refused('udp')
      return undefined
    }
  }

  #send(packet: Buffer, port: number, address: string): void {
    const socket = this.#socket
    if (!socket) return
    const to = socket.address().family === 'IPv6' && isIP(address) === 4 ? `::ffff:${address}` : address
    socket.send(packet, port, to, (error) => {
      if (error) this.#counts.failed('udp', error)
    })
  }
}
