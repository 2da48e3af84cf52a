import { Allowance } from './allowance.ts'
import { Download } from './fetching/download.ts'
import type { DownloadOptions } from './fetching/download.ts'
import { SwarmClosedError } from './errors.ts'
import { mend } from './fetching/mend.ts'
import { checkMetainfo } from './metainfo/metainfo.ts'
import { noLedger } from './options.ts'
import type { SwarmOptions } from './options.ts'
import type { Fetched, FetchRequest, MendRequest, Passage, Swarm, SwarmLimits, SwarmStats } from './port.ts'
import { passageOf } from './rates/index.ts'
import { Running } from './running.ts'

const nothing: SwarmStats = {
  torrents: 0,
  awake: 0,
  connections: 0,
  refusedWakes: 0,
  refusedConnections: 0,
  channels: 0,
  negotiating: 0,
  offersDropped: 0,
  uploadRate: 0,
  downloadRate: 0,
  uploaded: 0,
  downloaded: 0,
}

/** The engine of this folder, to be started. */
export function createSwarm(options: SwarmOptions): Swarm {
  return new WebTorrentSwarm(options)
}

/** The `Swarm` port on WebTorrent: TCP peers, WebRTC peers, and HTTP servers as web seeds (BEP 19). */
class WebTorrentSwarm implements Swarm {
  readonly #options: SwarmOptions
  readonly #allowance: Allowance
  #running: Running | undefined

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#allowance = new Allowance(options)
  }

  async start(): Promise<void> {
    this.#running = await Running.open(this.#options, this.#allowance)
    this.#running.limit()
  }

  get port(): number {
    return this.#get().engine.torrentPort
  }

  seed(infoHash: string): void {
    const { torrents, announcer } = this.#get()
    if (torrents.seed(infoHash)) announcer.add(infoHash)
  }

  restore(infoHashes: readonly string[], outOf = infoHashes.length): void {
    const { torrents, announcer } = this.#get()
    const isNew = (infoHash: string): boolean => !torrents.items.has(infoHash) && torrents.seed(infoHash)
    announcer.restore(infoHashes.filter(isNew), outOf)
  }

  has(infoHash: string): boolean {
    return this.#running?.torrents.items.isSeeded(infoHash) === true
  }

  async wake(infoHash: string): Promise<boolean> {
    return this.has(infoHash) && (await this.#running?.torrents.wake(infoHash)) !== undefined
  }

  async fetch(request: FetchRequest): Promise<Fetched> {
    const { torrents, announcer } = this.#get()
    const { infoHash, metainfo, signal, trackers = [], egress = this.#options.egress } = request
    signal.throwIfAborted()
    if (metainfo !== undefined) checkMetainfo(metainfo, request)
    const strangers = trackers.length === 0 ? undefined : this.#get().stranger(trackers, egress)
    const fetching = torrents.fetch(request)
    fetching.torrent.once('infoHash', () => {
      announcer.add(infoHash)
      strangers?.add(infoHash)
    })
    const download = new Download(fetching.torrent, request, { ...this.#fetching(infoHash), egress })
    try {
      const fetched = await download.finished
      await fetching.store?.createEmptyFiles()
      announcer.complete(infoHash)
      announcer.handOver(infoHash)
      strangers?.complete(infoHash)
      return fetched
    } finally {
      download.end()
      strangers?.remove(infoHash)
      await Promise.all([this.remove(infoHash), strangers?.close()])
    }
  }

  async check(infoHash: string, which: 'wrong' | 'all', signal: AbortSignal): Promise<number> {
    return await this.#get().torrents.use(infoHash, async ({ pieces }) => {
      await pieces?.checkWrong(signal)
      if (which === 'all') await pieces?.checkOthers(signal)
      return pieces?.wrongBytes ?? 0
    })
  }

  async mend(request: MendRequest): Promise<void> {
    const { torrents, announcer } = this.#get()
    const { infoHash } = request
    await torrents.use(infoHash, async (active) => {
      if (active.isWanting) announcer.hurry(infoHash)
      await mend(active, request, this.#fetching(infoHash))
      const { ledger = noLedger } = this.#options
      for (const piece of active.pieces?.takeMended() ?? []) ledger.mended(infoHash, piece)
      announcer.hurry(infoHash)
    })
  }

  async remove(infoHash: string): Promise<void> {
    this.#running?.announcer.remove(infoHash)
    await this.#running?.torrents.remove(infoHash)
  }

  limit(limits: Partial<SwarmLimits>): void {
    this.#allowance.limit(limits)
    this.#running?.limit()
  }

  limits(): SwarmLimits {
    return this.#allowance.limits
  }

  limitItem(infoHash: string): void {
    this.#allowance.rates.limitItem(infoHash)
  }

  downloadLimit(infoHash: string): number {
    return this.#allowance.rates.download.rateOf(infoHash)
  }

  uploadPassage(infoHash: string): Passage {
    return passageOf((go) => this.#allowance.rates.upload.turn(infoHash, go))
  }

  downloadPassage(infoHash: string): Passage {
    return passageOf((go) => this.#allowance.rates.download.turn(infoHash, go))
  }

  stats(): SwarmStats {
    return this.#running?.stats() ?? nothing
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.close()
  }

  #fetching(infoHash: string): DownloadOptions {
    const { egress, logger } = this.#options
    return { egress, passage: () => this.downloadPassage(infoHash), logger }
  }

  #get(): Running {
    if (this.#running === undefined) throw new SwarmClosedError()
    return this.#running
  }
}
