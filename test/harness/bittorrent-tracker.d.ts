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
