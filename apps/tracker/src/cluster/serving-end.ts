import { InvalidInputError } from '@eldernode/core'
import type { Socket } from 'node:net'
import { type Caller, Speaker } from '../signalling/index.ts'
import { type Counts, kinds } from '../swarm/index.ts'
import type { Asked, Upgrade } from '../transport/index.ts'
import { FrameReader, maxPayload, type Says, says } from './frames.ts'
import { Outlet } from './outlet.ts'

/** What this worker does for another one. */
export interface Desk {
  packet(packet: Buffer, address: string, port: number): void
  /** @returns the bencoded answer */
  announce(asked: Asked): string
  counts(infoHash: Int32Array, key: number, into: Counts): void
  /** Throws `InvalidInputError`. */
  say(speaker: Speaker, text: string): void
  leave(speaker: Speaker): void
  /** A WebSocket that another worker has read the upgrade of. */
  socket(stream: Socket, head: Buffer, upgrade: Upgrade): void
  /** Something by its name, fit for JSON; undefined when there is no such thing. */
  read(name: string): Promise<unknown>
}

/** Seconds after which offers that nobody answered are forgotten, a part of the speakers each second. */
const rounds = 40

/** Words of an `open`, and before the query of an `ask`. */
const openWords = 5
const askWords = 6

/** Stands here for a WebSocket of another worker. */
class FarSpeaker extends Speaker {
  readonly #outlet: Outlet
  readonly #id: number

  constructor(from: Caller, outlet: Outlet, id: number) {
    super(from)
    this.#outlet = outlet
    this.#id = id
  }

  override send(text: string): void {
    this.#outlet.begin(says.tell, this.#id)?.text(text)
    this.#outlet.end()
  }
}

/** The connection of another worker that asks. */
export class ServingEnd {
  readonly #desk: Desk
  readonly #socket: Socket
  readonly #outlet: Outlet
  readonly #speakers = Array.from({ length: rounds }, () => new Map<number, FarSpeaker>())
  readonly #infoHash = new Int32Array(5)
  readonly #address = new Int32Array(4)
  readonly #counts: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
  #round = 0

  constructor(socket: Socket, desk: Desk, onError: (error: Error) => void) {
    this.#socket = socket
    this.#desk = desk
    this.#outlet = new Outlet(socket)
    const reader = new FrameReader()
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.read(chunk, (kind, id, payload) => this.#heard(kind, id, payload))
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error
        socket.destroy(error)
      }
    })
    socket.on('error', onError)
    socket.on('close', () => this.#lost())
  }

  stop(): void {
    this.#socket.destroy()
  }

  /** To be called once a second. */
  tick(): void {
    this.#round = (this.#round + 1) % rounds
    for (const speaker of this.#speakers[this.#round]?.values() ?? []) speaker.forgetOffers()
  }

  #heard(kind: Says, id: number, payload: Buffer): void {
    switch (kind) {
      case says.packet:
        return this.#packet(id, payload)
      case says.ask:
        return this.#announce(id, payload)
      case says.count:
        return this.#count(id, payload)
      case says.open:
        return this.#open(id, payload)
      case says.say:
        return this.#say(id, payload)
      case says.gone:
        return this.#gone(id)
      case says.read:
        return void this.#read(id, payload.toString('latin1'))
      case says.answer:
      case says.counted:
      case says.tell:
      case says.refuse:
      case says.value:
        throw new InvalidInputError('only who is asked says so')
    }
  }

  #packet(port: number, payload: Buffer): void {
    const end = 4 + (payload.length < 4 ? 0 : payload.readInt32BE())
    if (end < 4 || end > payload.length) throw new InvalidInputError('a packet without an address')
    // The payload lies in what was read; the packet may be answered later.
    this.#desk.packet(Buffer.from(payload.subarray(end)), payload.toString('latin1', 4, end), port)
  }

  #announce(id: number, payload: Buffer): void {
    if (payload.length < askWords * 4) throw new InvalidInputError('an announce without an address')
    for (let i = 0; i < 4; i++) this.#address[i] = payload.readInt32BE(4 + 4 * i)
    const answer = this.#desk.announce({
      search: payload.toString('latin1', askWords * 4),
      kind: payload.readInt32BE() === kinds.ipv6 ? kinds.ipv6 : kinds.ipv4,
      address: this.#address,
      key: payload.readInt32BE(20),
    })
    this.#outlet.begin(says.answer, id)?.text(answer)
    this.#outlet.end()
  }

  #count(id: number, payload: Buffer): void {
    if (payload.length < 4 || (payload.length - 4) % 20 !== 0) throw new InvalidInputError('no infohashes')
    const key = payload.readInt32BE()
    const frame = this.#outlet.begin(says.counted, id)
    for (let at = 4; at < payload.length; at += 20) {
      for (let i = 0; i < 5; i++) this.#infoHash[i] = payload.readInt32BE(at + 4 * i)
      this.#desk.counts(this.#infoHash, key, this.#counts)
      const { complete, incomplete, downloaded, downloaders } = this.#counts
      for (const count of [complete, incomplete, downloaded, downloaders]) frame?.int(count)
    }
    this.#outlet.end()
  }

  #open(id: number, payload: Buffer): void {
    if (payload.length !== openWords * 4) throw new InvalidInputError('a WebSocket without an address')
    const from: Caller = {
      kind: payload.readInt32BE() === kinds.ipv6 ? kinds.ipv6 : kinds.ipv4,
      high: payload.readInt32BE(4),
      low: payload.readInt32BE(8),
      isMember: payload.readInt32BE(12) === 1,
      key: payload.readInt32BE(16),
    }
    this.#gone(id)
    this.#speakers[id % rounds]?.set(id, new FarSpeaker(from, this.#outlet, id))
  }

  #say(id: number, payload: Buffer): void {
    const speaker = this.#speakers[id % rounds]?.get(id)
    if (speaker === undefined) throw new InvalidInputError('nobody speaks by this number')
    try {
      this.#desk.say(speaker, payload.toString('latin1'))
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      this.#outlet.begin(says.refuse, id)?.text(error.message)
      this.#outlet.end()
    }
  }

  #gone(id: number): void {
    const speakers = this.#speakers[id % rounds]
    const speaker = speakers?.get(id)
    if (speaker === undefined) return
    speakers?.delete(id)
    this.#desk.leave(speaker)
  }

  async #read(id: number, name: string): Promise<void> {
    const value = await this.#desk.read(name).catch(() => null)
    const bytes = Buffer.from(JSON.stringify(value ?? null))
    this.#outlet.begin(says.value, id)?.put(bytes.length > maxPayload ? Buffer.from('null') : bytes)
    this.#outlet.end()
  }

  #lost(): void {
    for (const speakers of this.#speakers) {
      for (const speaker of speakers.values()) this.#desk.leave(speaker)
      speakers.clear()
    }
  }
}
