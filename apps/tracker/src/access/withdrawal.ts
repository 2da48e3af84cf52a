import type { Swarms } from '../swarm/index.ts'
import type { Access } from './access.ts'

/** Torrents that are looked at, and peers that are taken out, before others get their turn. */
const looksPerTurn = 5000
const peersPerTurn = 2000

/**
 * Takes the peers of torrents out that are denied, or listed no longer: they would be told of nobody, and take memory until
 * their time is over.
 */
export class Withdrawal {
  readonly #access: Pick<Access, 'gate' | 'withdrawn'>
  readonly #swarms: Pick<Swarms, 'takeOutTorrents'>
  #seen = 0
  // The torrent to go on with, or -1.
  #next = -1
  #turn: NodeJS.Immediate | undefined

  constructor(access: Pick<Access, 'gate' | 'withdrawn'>, swarms: Pick<Swarms, 'takeOutTorrents'>) {
    this.#access = access
    this.#swarms = swarms
  }

  /** To be called once a second. While nothing was withdrawn it looks at no torrent. */
  tick(): void {
    const { withdrawn } = this.#access
    if (this.#next !== -1 || withdrawn === this.#seen) return
    this.#seen = withdrawn
    this.#next = 0
    this.#goOn()
  }

  stop(): void {
    clearImmediate(this.#turn)
  }

  #goOn(): void {
    const { gate } = this.#access
    this.#next = this.#swarms.takeOutTorrents(this.#next, looksPerTurn, peersPerTurn, (infoHash) =>
      gate.serves(infoHash),
    )
    if (this.#next !== -1) this.#turn = setImmediate(() => this.#goOn())
  }
}
