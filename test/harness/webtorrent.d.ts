/** The part of stock WebTorrent 3 that tests use. */
declare module 'webtorrent' {
  import type { EventEmitter } from 'node:events'

  export interface SeededTorrent {
    readonly infoHash: string
    readonly torrentFile: Uint8Array
  }

  export default class WebTorrent extends EventEmitter {
    constructor(options: {
      dht: boolean
      lsd: boolean
      utp: boolean
      utPex?: boolean
      natUpnp: boolean
      natPmp: boolean
      torrentPort?: number
      tracker?: { rtcConfig: { iceServers: [] }; getAnnounceOpts?: () => { numwant: number } }
    })
    readonly torrentPort: number
    add(torrent: string, options: { path: string }, added: (torrent: SeededTorrent) => void): void
    seed(
      path: string,
      options: { announceList: string[][]; pieceLength: number },
      done: (torrent: SeededTorrent) => void,
    ): void
  }
}
