import type Wire from 'bittorrent-protocol'
import type { ActiveTorrent } from '../awake/active-torrent.ts'
import { FetchFailedError } from '../errors.ts'
import { Holders } from './holders.ts'
import type { HoldersOptions } from './holders.ts'
import { readMetainfo } from '../metainfo/metainfo.ts'
import type { MendRequest } from '../port.ts'

/** Fetches the wrong pieces of a torrent that is awake, from its peers and from those who are known to hold it. */
export async function mend(
  active: ActiveTorrent,
  request: MendRequest,
  options: Pick<HoldersOptions, 'egress' | 'passage' | 'logger'>,
): Promise<void> {
  const { torrent, held, pieces, infoHash } = active
  if (held === undefined || pieces === undefined) throw new FetchFailedError(infoHash, 'it is being fetched')
  let received = 0
  const wrong = pieces.wrongBytes
  const progress = (bytes: number): void => {
    received += bytes
    request.onProgress?.(received, wrong - pieces.wrongBytes)
  }
  const watch = (wire: Wire): void => {
    // A web seed tells of its bytes as they come.
    if (wire.type !== 'webSeed') wire.on('download', progress)
  }
  for (const wire of torrent.wires) watch(wire)
  torrent.on('wire', watch)
  const holders = new Holders(torrent, { ...options, ...request, received: progress })
  try {
    if (wrong > 0) {
      const metainfo = Buffer.concat([Buffer.from('d4:info'), held.info, Buffer.from('e')])
      holders.addWebSeeds(readMetainfo(metainfo, held))
      holders.dial()
    }
    await pieces.whole(request.signal)
  } finally {
    torrent.off('wire', watch)
    for (const wire of torrent.wires) wire.off('download', progress)
    holders.end()
  }
}
