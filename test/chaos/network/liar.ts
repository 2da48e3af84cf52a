import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Member, seededBytes } from '../../harness/index.ts'
import type { Coast } from './setup.ts'

const everyMs = 5_000
const terabyte = 2 ** 40

export interface Claims {
  /** The infohashes that it says to hold. */
  claims: () => readonly string[]
  /** One that is active is wanted for new items as well, which have to wait until it is given up. */
  state: 'active' | 'draining'
}

/** A member that claims every item and holds none: whatever it is asked for, it answers noise. */
export class Liar {
  readonly #member: Member
  readonly #server: Server
  readonly #claims: () => readonly string[]
  readonly #state: 'active' | 'draining'
  #timer: NodeJS.Timeout | undefined
  #lying = Promise.resolve()

  private constructor(member: Member, server: Server, { claims, state }: Claims) {
    this.#member = member
    this.#server = server
    this.#claims = claims
    this.#state = state
  }

  static async join({ network, address, now }: Coast, claims: Claims): Promise<Liar> {
    const noise = Buffer.from(seededBytes(666, 65_536))
    const server = createServer((_request, response) => response.end(noise))
    server.listen(0, address)
    await once(server, 'listening')
    const liar = new Liar(await Member.join(network, now), server, claims)
    await liar.#lie()
    liar.#timer = setInterval(() => liar.#lieAgain(), everyMs)
    return liar
  }

  get id(): string {
    return this.#member.id
  }

  /** @throws what kept it from lying, if anything did */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#lying
    } finally {
      await this.#member.close()
      this.#server.closeAllConnections()
      this.#server.close()
    }
  }

  #lieAgain(): void {
    this.#lying = this.#lying.then(() => this.#lie())
    // Until `close` says so.
    this.#lying.catch(() => clearInterval(this.#timer))
  }

  async #lie(): Promise<void> {
    const { graph } = this.#member
    const { address, port } = this.#server.address() as AddressInfo
    const http = `http://${address}:${port}`
    await graph.publish('hb', 'hb', {
      endpoints: { http, gun: `${http.replace('http', 'ws')}/gun`, bittorrent: `${address}:1` },
      zone: 'nowhere',
      operator: 'liar',
      state: this.#state,
      capacity: { bytes: terabyte, used: 0, free: terabyte },
      load: { up: 0, down: 0, connections: 0 },
      counts: { items: 0, awake: 0, queue: 0 },
      version: '0.0.0',
    })
    const buckets = Map.groupBy(this.#claims().toSorted(), (infoHash) => infoHash.slice(0, 2))
    for (const [bucket, held] of buckets) await graph.publish('h', bucket, { held, releasing: [], refused: [] })
  }
}
