import type { Egress } from '../egress/index.ts'
import { DigestMismatchError } from '../ingest/index.ts'
import type { Item, Library, Staging } from '../library/index.ts'
import { publishIngested, type PublishingServices, Turns } from '../publishing/index.ts'
import { type Metainfo, readMetainfo, readTorrentFile, type Swarm } from '../swarm/index.ts'
import { ImportRefusedError, NoSourceFoundError } from './errors.ts'
import { leastLiveness, Liveness, type LivenessLimits } from './liveness.ts'
import { type Named, peersOf, readMagnet, trackersOf, webSeedsOf } from './magnet.ts'
import type { Importer, Wanted, Work } from './port.ts'
import { assertSize } from './size-limit.ts'

export interface TorrentImporterOptions {
  services: Omit<PublishingServices, 'library' | 'swarm'> & {
    library: Library
    swarm: Pick<Swarm, 'seed' | 'fetch' | 'downloadLimit'>
  }
  egress: Egress
  maxBytes: number
  /** Whether trackers that a source names are asked. */
  foreignTrackers: boolean
  liveness?: LivenessLimits
}

interface Source extends Named {
  metainfo?: Uint8Array
}

/** What manifests may say (docs/protocol.md). */
const [shortestPiece, longestPiece] = [16_384, 16_777_216]

/** Publishes a torrent under its own infohash, so that what is imported is seeded to the very same swarm. */
export function createTorrentImporters(options: TorrentImporterOptions): { magnet: Importer; torrent: Importer } {
  const { services, maxBytes } = options
  const { library } = services
  const turns = new Turns()

  const accept = (metainfo: Metainfo, { maxBytes: asked }: Wanted): void => {
    const { size, pieceLength } = metainfo
    assertSize(size, { maxBytes, asked })
    if (pieceLength < shortestPiece || pieceLength > longestPiece)
      throw new ImportRefusedError(`its pieces have ${pieceLength} bytes, and not ${shortestPiece} to ${longestPiece}`)
    if (metainfo.private)
      throw new ImportRefusedError('its publisher forbids all trackers but its own (private, BEP 27)')
  }

  /** An item that is here and may be found here by whoever wants it. */
  const held = ({ infoHash }: Source, { owner }: Wanted): Item | undefined => {
    const item = library.get(infoHash)
    if (item === undefined) return undefined
    if (item.access === 'private') throw new ImportRefusedError('its torrent is a private item of this node')
    return item.state === 'live' || item.owner === owner || owner === '' ? item : undefined
  }

  const adopt = async (staging: Staging, source: Source, work: Work): Promise<Item> => {
    const { wanted, signal } = work
    const { infoHash } = source
    const item = held(source, wanted)
    const metainfo = item && library.metainfo(infoHash)
    let allowance: ReturnType<typeof services.quotas.admit> | undefined
    // Held until it counts as the owner's, so that many at once do not each take what is left.
    const admit = (size: number): void =>
      void (allowance ??= services.quotas.admit(wanted.owner, size, item && { sha256: item.sha256 }))
    try {
      if (item !== undefined) {
        assertSize(item.size, { maxBytes, asked: wanted.maxBytes })
        admit(item.size)
      }
      const ingested =
        item !== undefined && metainfo !== undefined
          ? { ...item, staging, metainfo }
          : await fetchTorrent(staging, source, work, admit)
      const { owner, access, about, replicas, sha256 = ingested.sha256 } = wanted
      if (sha256 !== ingested.sha256) throw new DigestMismatchError(sha256, ingested.sha256)
      const committed = () => allowance?.end()
      const publication = { owner, access, ...(about && { about }), replicas, signal, committed }
      return (await publishIngested(services, ingested, publication)).item
    } finally {
      allowance?.end()
    }
  }

  const fetchTorrent = async (
    staging: Staging,
    source: Source,
    { wanted, signal, progress }: Work,
    admit: (size: number) => void,
  ) => {
    const { swarm, replication, ingest } = services
    const { egress } = options
    const { infoHash } = source
    const liveness = new Liveness(infoHash, options.liveness ?? leastLiveness, () => swarm.downloadLimit(infoHash))
    let described: Metainfo | undefined
    try {
      const peers = await peersOf(source, egress)
      const webSeeds = webSeedsOf(source, egress)
      const trackers = options.foreignTrackers ? trackersOf(source, egress) : []
      if ([peers, webSeeds, trackers, services.trackers].every(({ length }) => length === 0))
        throw new NoSourceFoundError(infoHash, 0)
      const left = new Set([...peers, ...webSeeds])
      const mayFindMore = trackers.length + services.trackers.length > 0
      // A copy that is being made for the network would be in the way, and is this very item.
      await replication.claim(infoHash)
      const { metainfo } = await swarm.fetch({
        infoHash,
        peers,
        webSeeds,
        trackers,
        egress,
        ...(source.metainfo && { metainfo: source.metainfo }),
        accept: (found) => {
          accept(found, wanted)
          admit(found.size)
          described = found
          liveness.knows(found)
          progress(0, found.size)
        },
        poisoned: (poisonous) => {
          left.delete(poisonous)
          if (left.size === 0 && !mayFindMore) liveness.poisoned()
        },
        onProgress: (received, verified) => {
          liveness.moved(received, verified)
          progress(verified, described?.size)
        },
        filePath: (index) => staging.filePath(index),
        signal: AbortSignal.any([signal, liveness.signal]),
      })
      const found = readMetainfo(metainfo, { infoHash })
      return await ingest.adopt(staging, { ...found, infoHash, metainfo }, signal)
    } finally {
      liveness.clear()
    }
  }

  const adopting = async (staging: Staging, source: Source, work: Work): Promise<Item> => {
    try {
      return await adopt(staging, source, work)
    } finally {
      await staging.discard()
    }
  }

  /** One after the other of the same infohash: the second finds what the first has brought. */
  const run = async (source: Source, work: Work): Promise<Item> => {
    if (library.isPaused(source.infoHash)) throw new ImportRefusedError('its torrent is paused on this node')
    if (work.wanted.encrypt !== undefined || work.wanted.access === 'private')
      throw new ImportRefusedError('a torrent keeps its bytes and its infohash, and so it cannot be encrypted')
    return await turns.take(source.infoHash, async () => {
      work.signal.throwIfAborted()
      return await adopting(await library.stage(), source, work)
    })
  }

  return {
    magnet: (work) => run(readMagnet(work.source), work),
    torrent: async (work) => {
      const { infoHash, metainfo, trackers, webSeeds } = readTorrentFile(Buffer.from(work.source, 'base64'))
      accept(readMetainfo(metainfo, { infoHash }), work.wanted)
      return await run({ infoHash, metainfo, trackers, webSeeds, peers: [] }, work)
    },
  }
}
