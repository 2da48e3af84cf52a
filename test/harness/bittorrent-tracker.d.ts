declare module 'bittorrent-tracker/client' {
  import type { EventEmitter } from 'node:events'

  /** What a tracker answered. */
  export interface Answer {
    announce: string
    complete: number
    incomplete: number
  }

  export default class Client extends EventEmitter {
    constructor(options: { infoHash: Buffer; peerId: Buffer; port: number; announce: string[] })
    start(options?: { left?: number }): void
    update(options?: { left?: number }): void
    scrape(): void
    destroy(callback?: () => void): void
  }
}

declare module 'bittorrent-tracker/server' {
  import type { EventEmitter } from 'node:events'
  import type { Server as HttpServer } from 'node:http'
  import type { Socket } from 'node:dgram'

  interface Swarm {
    announce(
      params: object,
      callback: (
        error: Error | null,
        answer: { complete: number; incomplete: number; peers: { peerId: string }[] },
      ) => void,
    ): void
  }

  export default class Server extends EventEmitter {
    static readonly Swarm: new (infoHash: string, server: { peersCacheLength: number; peersCacheTtl: number }) => Swarm
    constructor(options: { http: boolean; udp: boolean; ws: boolean; stats: boolean; interval: number })
    readonly torrents: Record<string, { complete: number; incomplete: number }>
    readonly http: HttpServer
    readonly udp4: Socket
    /** Ports and addresses by transport. */
    listen(ports: object, hosts: { http: string; udp: string; udp6: string }, listening: () => void): void
    close(callback: () => void): void
  }
}
