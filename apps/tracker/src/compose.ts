import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { rangesOf, type TrackerSettings } from './config.ts'
import { Engine } from './swarm/index.ts'
import { Counts, gauge, HttpTransport, Listeners, UdpTransport, WebSocketTransport } from './transport/index.ts'

export interface Tracker {
  /** Resolves to the real port. */
  start(): Promise<number>
  stop(): Promise<void>
}

const sweepMs = 10_000

/** Builds the whole tracker, in start-up order. */
export const compose = (settings: TrackerSettings, log: Logger, now: () => number): Tracker => {
  const { limits } = settings
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counts = new Counts(registry, log)

  const engine = new Engine({
    interval: settings.announce.intervalSeconds * 1000,
    maxSwarms: limits.swarms,
    maxPeersPerSwarm: limits.peersPerSwarm,
    maxPeers: limits.peers,
    now,
  })
  const webSockets = new WebSocketTransport({ engine, counts, maxPerAddress: limits.socketsPerAddress })
  const trusted = rangesOf(settings.trustProxy)
  const http = new HttpTransport({ engine, counts, registry, webSockets, trusted, maxConnections: limits.sockets })
  const udp = new UdpTransport({ engine, counts, now })
  const listeners = new Listeners(http, udp, webSockets)

  gauge(registry, 'eldernode_tracker_torrents', 'Torrents that somebody announced lately.', () => engine.swarms)
  gauge(registry, 'eldernode_tracker_peers', 'Peers of all torrents.', () => engine.peers)
  gauge(registry, 'eldernode_tracker_websockets', 'Open WebSocket connections.', () => webSockets.sockets)

  let sweeps: NodeJS.Timeout | undefined
  return {
    start: async () => {
      const port = await listeners.start(settings.host, settings.port)
      sweeps = setInterval(() => engine.sweep(), sweepMs)
      return port
    },
    stop: async () => {
      clearInterval(sweeps)
      await listeners.stop()
      engine.close()
    },
  }
}
