declare module 'bittorrent-tracker/server' {
  import type { EventEmitter } from 'node:events'
  import type { ServerResponse } from 'node:http'

  export interface SwarmPeers {
    readonly length: number
  }

  class Swarm {
    constructor(infoHash: string, server: Server)
    readonly infoHash: string
    complete: number
    incomplete: number
    readonly peers: SwarmPeers
    announce(params: unknown, callback?: (error: Error | null, response: unknown) => void): void
  }

  export default class Server extends EventEmitter {
    static Swarm: typeof Swarm
    constructor(options: {
      http: boolean
      udp: boolean
      ws: boolean
      stats: boolean
      interval: number
      peersCacheLength: number
      peersCacheTtl: number
      filter: (infoHash: string, params: unknown, callback: (error: Error | null) => void) => void
    })
    destroyed: boolean
    readonly torrents: Record<string, Swarm>
    udp4: { send(packet: Buffer, offset: number, length: number, port: number, address: string): void } | null
    createSwarm(infoHash: string, callback: (error: Error | null, swarm: Swarm) => void): void
    onHttpRequest(request: object, response: ServerResponse): void
    onUdpRequest(packet: Buffer, from: { address: string; port: number; family: string }): void
    onWebSocketConnection(socket: EventEmitter): void
    close(callback?: () => void): void
  }
}
