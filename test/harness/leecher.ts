import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Program } from './program.ts'
import { until } from './until.ts'

/** A libtorrent that downloads one item from one peer, and tells how far it is. */
export class Leecher {
  readonly #program: Program

  /** @param peer `host:port` */
  constructor(infoHash: string, folder: string, peer: string) {
    const script = join(import.meta.dirname, 'libtorrent-leecher.py')
    this.#program = new Program({
      name: 'libtorrent',
      command: '/usr/bin/python3',
      args: [script, infoHash, folder, peer],
    })
  }

  /** Bytes of pieces that have arrived so far. */
  get bytes(): number {
    return this.#last().bytes
  }

  /** Whether it has every byte, or gave up. */
  get ended(): boolean {
    return this.#program.ended !== undefined
  }

  get peers(): number {
    return this.#last().peers
  }

  /**
   * The share of a limit that arrives, over 2 s. On a busy machine it is less for a while, so the first of five that is
   * no less than 0.85 counts; more than the limit is never the machine's fault.
   */
  async shareOf(limit: number): Promise<number> {
    let share = 0
    for (let i = 0; i < 5 && share < 0.85; i++) {
      const [bytes, at] = [this.bytes, performance.now()]
      await pause(2_000)
      share = ((this.bytes - bytes) * 1000) / (performance.now() - at) / limit
    }
    return share
  }

  async reaches(bytes: number, within = 30_000): Promise<void> {
    await until(() => this.bytes >= bytes, { within, what: `libtorrent has ${bytes} bytes` })
  }

  /** Resolves once every byte is on disk. */
  async finished(within = 60_000): Promise<void> {
    await until(() => this.#program.ended === 0, { within, what: `libtorrent is done; it has ${this.bytes} bytes` })
  }

  async end(): Promise<void> {
    await this.#program.end('SIGKILL')
  }

  #last(): { bytes: number; peers: number } {
    const line = this.#program.lines.at(-1)
    if (line === undefined) return { bytes: 0, peers: 0 }
    if (!line.startsWith('{')) throw new Error(this.#program.output())
    return JSON.parse(line) as { bytes: number; peers: number }
  }
}
