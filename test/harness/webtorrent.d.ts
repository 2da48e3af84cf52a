/** The part of stock WebTorrent 3 that tests seed with. */
declare module 'webtorrent' {
  import type { EventEmitter } from 'node:events'

  export interface SeededTorrent {
    readonly infoHash: string
    readonly torrentFile: Uint8Array
  }

  export default class WebTorrent extends EventEmitter {
    constructor(options: { dht: boolean; lsd: boolean; utp: boolean; natUpnp: boolean; natPmp: boolean })
    readonly torrentPort: number
    seed(
      path: string,
      options: { announceList: string[][]; pieceLength: number },
      done: (torrent: SeededTorrent) => void,
    ): void
  }
}
