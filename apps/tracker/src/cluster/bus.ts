import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Counts } from '../swarm/index.ts'
import type { Asked, CountsOf, NearSocket, Sender, Shards, Upgrade } from '../transport/index.ts'
import { AskingEnd } from './asking-end.ts'
import { type Desk, ServingEnd } from './serving-end.ts'
import { shardOf } from './shard.ts'

export interface BusOptions {
  /** Which worker this is, and of how many. */
  own: number
  workers: number
  /** Where the Unix domain sockets are; nobody else may come in there. */
  folder: string
  /** Hands a connection to another worker. @returns false when it cannot be taken out of this process */
  give: (shard: number, stream: Duplex, head: Buffer, upgrade: Upgrade) => boolean
  onError: (error: Error) => void
}

/** How long a start waits for the others; one that is not there then is found later. */
const gatherMs = 2000

const tickMs = 1000

/** Turns after which an answer is late: `AskingEnd` waits one to two of them. */
const ticksPerWait = 3

const away = 'd14:failure reason46:this part of the tracker is away: try it againe'

/** Binds the workers of one tracker to each other: everybody asks everybody else directly. */
export class Bus implements Shards {
  readonly own: number
  readonly #options: BusOptions
  readonly #server: Server
  readonly #serving = new Set<ServingEnd>()
  readonly #asking: (AskingEnd | undefined)[]
  #desk: Desk | undefined
  #ticks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: BusOptions) {
    const { own, workers, onError } = options
    this.own = own
    this.#options = options
    this.#asking = Array.from({ length: workers }, (_, shard) =>
      shard === own ? undefined : new AskingEnd(this.#pathOf(shard), onError),
    )
    this.#server = createServer((socket) => this.#serve(socket))
  }

  /** Lets the others come in. Rejects with the system's error. */
  async listen(desk: Desk): Promise<void> {
    this.#desk = desk
    const path = this.#pathOf(this.own)
    // Left behind by one that was killed.
    rmSync(path, { force: true })
    this.#server.listen(path)
    await once(this.#server, 'listening')
    this.#server.on('error', this.#options.onError)
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** Resolves when all others were reached, or some time has passed. */
  async join(): Promise<void> {
    const reached = this.#ends().map((end) => new Promise<void>((resolve) => end.start(resolve)))
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, gatherMs)))
    await Promise.race([Promise.all(reached), over])
    clearTimeout(timer)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const end of this.#ends()) end.stop()
    for (const end of this.#serving) end.stop()
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  of(word: number): number {
    return shardOf(word, this.#options.workers)
  }

  pass(shard: number, packet: Buffer, from: Sender): void {
    this.#asking[shard]?.pass(packet, from)
  }

  ask(shard: number, asked: Asked, answered: (text: string) => void): void {
    this.#asking[shard]?.ask(asked, (payload) => answered(payload?.toString('latin1') ?? away))
  }

  counts(infoHashes: readonly Int32Array[], key: number, known: (countsOf: CountsOf) => void): void {
    const found = new Map<string, Counts>()
    const shards = Map.groupBy(infoHashes, (words) => this.of(words[0] as number))
    let waiting = 1
    const done = (): void => {
      if (--waiting > 0) return
      known((infoHash, into) => {
        if (this.of(infoHash[0] as number) === this.own) return this.#desk?.counts(infoHash, key, into)
        Object.assign(into, found.get(infoHash.join()) ?? zeros)
      })
    }
    for (const [shard, hashes] of shards) {
      const end = this.#asking[shard]
      if (end === undefined) continue
      waiting++
      end.count(hashes, key, (payload) => {
        if (payload?.length === hashes.length * 16)
          hashes.forEach((words, i) => found.set(words.join(), countsAt(payload, i * 16)))
        done()
      })
    }
    done()
  }

  say(shard: number, socket: NearSocket, text: string): void {
    if (this.#asking[shard]?.say(socket, text) === false)
      socket.send('{"failure reason":"this part of the tracker is away: try it again"}')
  }

  gone(socket: NearSocket): void {
    for (const end of this.#asking) end?.gone(socket)
  }

  give(shard: number, stream: Duplex, head: Buffer, upgrade: Upgrade): boolean {
    return this.#asking[shard]?.isUp === true && this.#options.give(shard, stream, head, upgrade)
  }

  /** What each worker says of itself by this name, this one included; of one that does not answer, nothing. */
  async readAll(name: string): Promise<unknown[]> {
    const others = this.#ends().map(
      (end) =>
        new Promise<unknown>((resolve) => {
          end.read(name, (payload) => resolve(payload === undefined ? null : JSON.parse(payload.toString())))
        }),
    )
    const values = await Promise.all([this.#desk?.read(name), ...others])
    return values.filter((value) => value !== null && value !== undefined)
  }

  #ends(): AskingEnd[] {
    return this.#asking.filter((end) => end !== undefined)
  }

  #serve(socket: Socket): void {
    if (this.#desk === undefined) return void socket.destroy()
    const end = new ServingEnd(socket, this.#desk, this.#options.onError)
    this.#serving.add(end)
    socket.on('close', () => this.#serving.delete(end))
  }

  #tick(): void {
    for (const end of this.#serving) end.tick()
    if (++this.#ticks % ticksPerWait === 0) for (const end of this.#ends()) end.tick()
  }

  #pathOf(shard: number): string {
    return join(this.#options.folder, `${shard}`)
  }
}

const zeros: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }

const countsAt = (payload: Buffer, at: number): Counts => ({
  complete: payload.readInt32BE(at),
  incomplete: payload.readInt32BE(at + 4),
  downloaded: payload.readInt32BE(at + 8),
  downloaders: payload.readInt32BE(at + 12),
})
