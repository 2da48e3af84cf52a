import { join } from 'node:path'
import { Program, type Tracker, until } from '../../harness/index.ts'

export type Seeded = { torrent: string } | { file: string }

/** Stock WebTorrent as a process that seeds an item to browsers; with `fixed` one that browsers can reach. */
export class StockSeeder {
  readonly infoHash: string
  readonly #program: Program

  private constructor(program: Program, infoHash: string) {
    this.#program = program
    this.infoHash = infoHash
  }

  /** @param what a .torrent file, or the name of a file that WebTorrent makes a torrent of */
  static async start(what: Seeded, folder: string, tracker: Tracker, fixed = false): Promise<StockSeeder> {
    const named = 'torrent' in what ? ['--torrent', what.torrent] : ['--file', what.file]
    const args = [...named, '--folder', folder, '--tracker', tracker.webSocketUrl]
    const program = new Program({
      name: 'stock WebTorrent',
      command: process.execPath,
      args: [join(import.meta.dirname, 'stock-webrtc-seeder.ts'), ...args, ...(fixed ? ['--fixed'] : [])],
    })
    const announced = (line: string): string | undefined => /"announced":"(\w+)"/.exec(line)?.[1]
    const infoHash = await until(() => program.found(announced), {
      within: 30_000,
      what: 'the stock seeder announces',
    })
    return new StockSeeder(program, infoHash)
  }

  get pid(): number {
    return this.#program.pid
  }

  async stop(): Promise<void> {
    await this.#program.end('SIGKILL')
  }
}

/** A magnet that leads to peers of one WebSocket tracker, and nowhere else. */
export function magnetOf(infoHash: string, tracker: Tracker): string {
  return `magnet:?xt=urn:btih:${infoHash}&tr=${encodeURIComponent(tracker.webSocketUrl)}`
}
