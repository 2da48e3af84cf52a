import { join } from 'node:path'
import { Program, type Tracker, until } from '../../harness/index.ts'

/** Stock WebTorrent as a process that seeds an item to browsers; with `fixed` one that browsers can reach. */
export class StockSeeder {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start(torrent: string, folder: string, tracker: Tracker, fixed = false): Promise<StockSeeder> {
    const args = ['--torrent', torrent, '--folder', folder, '--tracker', tracker.webSocketUrl]
    const program = new Program({
      name: 'stock WebTorrent',
      command: process.execPath,
      args: [join(import.meta.dirname, 'stock-webrtc-seeder.ts'), ...args, ...(fixed ? ['--fixed'] : [])],
    })
    await until(() => program.found((line) => line.includes('announced') || undefined), {
      within: 30_000,
      what: 'the stock seeder announces',
    })
    return new StockSeeder(program)
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
