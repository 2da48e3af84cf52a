import { isIP } from 'node:net'
import type Wire from 'bittorrent-protocol'
import type { Egress } from '../egress/index.ts'
import type { Allowance } from './allowance.ts'
import { Announcer } from './announcer/index.ts'
import type { AnnouncerOptions } from './announcer/index.ts'
import { Door } from './peers/door.ts'
import { Engine } from './engine.ts'
import { noLedger } from './options.ts'
import type { SwarmOptions } from './options.ts'
import type { SwarmStats } from './port.ts'
import { Signalling } from './signalling.ts'
import { Torrents } from './awake/torrents.ts'

/** What exists while the swarm runs: the engine behind its door, the torrents, and who tells trackers of them. */
export class Running {
  readonly engine: Engine
  readonly torrents: Torrents
  readonly announcer: Announcer
  readonly #allowance: Allowance
  readonly #door: Door
  readonly #announcing: Omit<AnnouncerOptions, 'trackers' | 'egress'>
  #connections = 0
  #uploaded = 0
  #downloaded = 0

  private constructor(engine: Engine, options: SwarmOptions, allowance: Allowance) {
    const { trackers, shelf, ledger = noLedger, logger } = options
    this.engine = engine
    this.#allowance = allowance
    this.torrents = new Torrents({
      engine,
      allowance,
      shelf,
      ledger,
      logger,
      connected: (wire) => this.#count(wire),
    })
    const { torrents } = this
    this.#door = new Door(engine, allowance.slots, {
      byInfoHash: async (infoHash) => (await torrents.wake(infoHash))?.torrent,
      byObfuscated: async (hash) => (await torrents.wakeByObfuscated(hash))?.torrent,
    })
    engine.on('upload', (bytes: number) => (this.#uploaded += bytes))
    engine.on('download', (bytes: number) => (this.#downloaded += bytes))
    this.#announcing = {
      table: torrents.items.table,
      node: { peerId: engine.peerId, port: () => engine.torrentPort },
      progress: (infoHash) => torrents.progress(infoHash),
      found: (infoHash, peer) => {
        // Who lacks pieces comes by itself. Holders of a large library would dial each other for every item otherwise.
        const known = torrents.find(infoHash)
        if (known?.isWanting === true) known.torrent.addPeer(peer)
      },
      signalling: new Signalling({
        connections: allowance.channels,
        maxConns: () => allowance.limits.maxConnsPerItem,
        has: (infoHash) => torrents.items.has(infoHash),
        find: (infoHash) => torrents.find(infoHash),
        wake: (infoHash) => torrents.wake(infoHash),
        announceSoon: (infoHash) => this.announcer.signal(infoHash),
        logger,
      }),
      logger,
    }
    this.announcer = new Announcer({ ...this.#announcing, trackers })
  }

  /** Opens the peer port. @throws SwarmStartError */
  static async open(options: SwarmOptions, allowance: Allowance): Promise<Running> {
    const { port, host, egress, logger } = options
    const torrentPort = host === undefined ? port : { port, host }
    const engine = new Engine({ torrentPort, maxConns: allowance.limits.maxConnsPerItem })
    // Peers named by others are addresses already; a name among them is not looked up at all.
    engine.blocked = { contains: (address) => isIP(address) === 0 || !egress.isAllowedAddress(address) }
    await engine.listens(port)
    engine.on('error', (error: Error) => logger.error({ err: error }, 'the swarm engine failed'))
    return new Running(engine, options, allowance)
  }

  /** Tells trackers that others name; to be closed. `egress` judges where they are. */
  stranger(trackers: readonly string[], egress: Egress): Announcer {
    return new Announcer({ ...this.#announcing, trackers, egress })
  }

  /** The limits have changed. */
  limit(): void {
    const { limits } = this.#allowance
    this.torrents.limit(limits)
    this.engine.maxConns = limits.maxConnsPerItem
  }

  stats(): SwarmStats {
    const { torrents, engine } = this
    const { slots, channels } = this.#allowance
    return {
      torrents: torrents.items.size,
      awake: torrents.awake,
      connections: this.#connections,
      refusedWakes: torrents.wakesRefused,
      refusedConnections: slots.refused + this.#door.dropped,
      channels: channels.open,
      negotiating: channels.negotiating,
      offersDropped: channels.dropped,
      uploadRate: engine.uploadSpeed,
      downloadRate: engine.downloadSpeed,
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
    }
  }

  async close(): Promise<void> {
    this.#door.close()
    await this.announcer.close()
    this.torrents.close()
    await new Promise<void>((resolve) => this.engine.destroy(() => resolve()))
    await this.#allowance.close()
  }

  #count(wire: Wire): void {
    this.#connections++
    wire.once('close', () => this.#connections--)
  }
}
