import { coarseBytes } from '@eldernode/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram } from 'prom-client'
import { z } from 'zod'
import type { Api } from '../api.ts'
import type { Services } from '../services.ts'

/** `/metrics`, in the text format of Prometheus, and the counts behind it. */
export async function metricsRoutes(app: Api, services: Services): Promise<void> {
  const { registry } = services
  collectDefaultMetrics({ register: registry })
  observeNode(services)

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['status'],
        summary: 'Figures for Prometheus',
        response: { 200: { description: 'Text format', content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => await reply.type(registry.contentType).send(await registry.metrics()),
  )
}

/** Counts every answer by route, not by path: paths are chosen by clients and would grow without bound. */
export function observeRequests(app: Api, { registry, log }: Services): void {
  const labelNames = ['method', 'route', 'status']
  const requests = new Counter({
    name: 'eldernode_http_requests_total',
    help: 'Answers of the HTTP API.',
    labelNames,
    registers: [registry],
  })
  const seconds = new Histogram({
    name: 'eldernode_http_request_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  })
  // Fastify's own `elapsedTime` is 0 while it has no logger and no hook for answers.
  const count = (request: FastifyRequest, reply: FastifyReply, ms: number) => {
    const { method, routeOptions } = request
    const { statusCode: status } = reply.raw
    const route = routeOptions.url ?? 'none'
    requests.inc({ method, route, status })
    seconds.observe({ method, route }, ms / 1000)
    log.debug({ method, url: request.url, status, ms: Math.round(ms) }, 'answered')
  }
  // The end of the answer counts, also of one that its client did not wait for: streams of events have no other end.
  app.addHook('onRequest', async (request, reply) => {
    const since = performance.now()
    reply.raw.once('close', () => {
      if (reply.raw.headersSent) count(request, reply, performance.now() - since)
    })
  })
}

/** Read when they are asked for, so nothing is kept up to date for nobody. */
function observeNode({ registry, library, swarm, graph, replication }: Services): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `eldernode_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  const byLabel = (label: string) => (name: string, help: string, read: () => Record<string, number>) =>
    new Gauge({
      name: `eldernode_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count)
      },
    })
  const byReason = byLabel('reason')
  gauge('items', 'Public items held here.', () => replication.publicItems())
  gauge('item_bytes', 'Bytes of the files held here, in steps of 16 MiB.', () => coarseBytes(library.totals().bytes))
  gauge('quarantined_bytes', 'Bytes found wrong and set aside, removed after 30 days.', () =>
    coarseBytes(library.quarantinedBytes()),
  )
  gauge('items_damaged', 'Items whose bytes are lost here, wholly or in part.', () => library.damaged().length)
  gauge('storage_suspended', '1 while the disk with the stored files is away: nothing is served or stored.', () =>
    Number(library.storage().state !== 'here'),
  )
  gauge('items_paused', 'Items that the operator paused, held or on their way.', () => library.pausedCount())
  byLabel('limit')(
    'swarm_limit',
    'The limits in force now: bytes per second (0 is none), counts, idleAfter in seconds.',
    () => ({ ...swarm.limits(), idleAfter: swarm.limits().idleAfter / 1000 }),
  )
  gauge('swarm_torrents', 'Torrents seeded or fetched.', () => swarm.stats().torrents)
  gauge('swarm_awake', 'Torrents asked for lately or being fetched.', () => swarm.stats().awake)
  gauge('swarm_connections', 'Connections to BitTorrent peers.', () => swarm.stats().connections)
  byReason('swarm_refused', 'Peers turned away since the start.', () => {
    const { refusedConnections, refusedWakes } = swarm.stats()
    return { no_place: refusedConnections, none_to_put_to_sleep: refusedWakes }
  })
  gauge('swarm_channels', 'WebRTC connections that are open.', () => swarm.stats().channels)
  gauge('swarm_negotiating', 'WebRTC connections being made.', () => swarm.stats().negotiating)
  gauge(
    'swarm_offers_dropped',
    'WebRTC offers of peers not answered since the start.',
    () => swarm.stats().offersDropped,
  )
  gauge('swarm_uploaded_bytes', 'Bytes sent to BitTorrent peers since the start.', () => swarm.stats().uploaded)
  gauge('swarm_downloaded_bytes', 'Bytes got from peers since the start.', () => swarm.stats().downloaded)
  gauge('graph_links', 'Links to other nodes and clients.', () => graph.stats().links.length)
  gauge(
    'graph_links_in_sync',
    'Links with nothing left to fetch.',
    () => graph.stats().links.filter((l) => l.inSync).length,
  )
  gauge('graph_accepted', 'Foreign values taken since the start.', () => graph.stats().accepted)
  byReason('graph_refused', 'Foreign messages refused since the start.', () => graph.stats().refused)
  gauge('replication_queued', 'Items waiting to be copied.', () => replication.stats().queued)
  gauge(
    'replication_mending',
    'Items with damaged pieces, waiting to be mended or being mended.',
    () => replication.stats().mending,
  )
  gauge('replication_running', 'Items being copied.', () => replication.stats().running)
  gauge('replication_fetched', 'Items copied since the start.', () => replication.stats().fetched)
  gauge('replication_fetched_bytes', 'Bytes copied since the start.', () => replication.stats().fetchedBytes)
  gauge(
    'replication_released',
    'Copies given up since the start because the network has enough others.',
    () => replication.stats().released,
  )
  gauge('replication_released_bytes', 'Bytes of those copies.', () => replication.stats().releasedBytes)
  byReason('replication_failures', 'Failed tries to copy since the start.', () => replication.stats().failures)
  gauge(
    'clock_behind',
    '1 while the clock lies too far behind what this node signed, so that it publishes nothing.',
    () => Number(replication.stats().clockBehind),
  )
  gauge('clock_off', "1 while most members' clocks lie more than 4 minutes from this one's.", () =>
    Number(replication.stats().clockOff),
  )
  gauge('live_members', 'Members that live, as far as this node knows.', () => replication.stats().live)
}
