import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { rangesOf, type TrackerSettings } from './config.ts'
import { ClusterFigures, type Desk, figuresName, type Place } from './cluster/index.ts'
import { SnapshotFiles } from './snapshot-file.ts'
import { Access, GuardedSwarms, InfoHashSet, Withdrawal } from './access/index.ts'
import { exposeNetwork, KeptLists, Network, type News } from './network/index.ts'
import { Operations } from './operations/index.ts'
import { Signalling } from './signalling/index.ts'
import { Swarms } from './swarm/index.ts'
import { parseWebSocket } from './wire/index.ts'
import {
  BanLog,
  ConnectionIds,
  Counts,
  type Family,
  gauge,
  HttpPages,
  HttpTracker,
  HttpTransport,
  Listeners,
  Manners,
  Members,
  Places,
  type OperatorDoors,
  UdpTransport,
  WebSocketTransport,
} from './transport/index.ts'

export interface Tracker {
  /** Resolves to the real port. Rejects with `HashFileError` and `ListenError`. */
  start(): Promise<number>
  /** Takes on settings that may change while it runs, and reads its lists again. Rejects with `HashFileError`. */
  change(settings: TrackerSettings): Promise<void>
  stop(): Promise<void>
}

/** One of several processes that are a tracker: the first of them follows the network for all. */
export interface WorkerTracker extends Tracker {
  hear(news: News): void
}

const sweepMs = 1000

/** Peers that one sweep forgets; what is left waits for the next one, which comes at once. */
const perSweep = 5000

/** A peer that missed its announce gets as long again, and some. */
const patience = 2.25

/** Seconds. Who misses somebody may ask again so soon. */
const minInterval = 30

/** From 0 to below 1, and nobody can tell what comes next. */
const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32

/** Workers share what memory is reserved for. */
const limitsOf = ({ limits }: TrackerSettings, place: Place | undefined): TrackerSettings['limits'] => {
  const share = (most: number): number => Math.ceil(most / (place?.workers ?? 1))
  return { ...limits, swarms: share(limits.swarms), peers: Math.max(2, share(limits.peers)) }
}

/**
 * Builds the whole tracker, in start-up order.
 *
 * @param now milliseconds, never going backwards; the same clock for all workers
 * @param place this worker's among several; absent where this process is all there is
 */
export const compose = (settings: TrackerSettings, log: Logger, now: () => number, place?: Place): WorkerTracker => {
  const shards = place?.shards
  // Everybody reads the limits here, so that those that may change do so for all.
  const limits = limitsOf(settings, place)
  const interval = settings.announce.intervalSeconds
  const socketInterval = Math.ceil(interval / 5)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counts = new Counts(registry, log)

  const ttl = Math.ceil(interval * patience)
  const members = new Members(settings.members, log)
  const isMember = (kind: Family, address: Int32Array): boolean => members.has(kind, address)
  const places = new Places(limits)
  const banLog = new BanLog(log, now)
  const manners = new Manners({
    limits,
    isMember,
    onBan: (network, seconds, reason) => banLog.note(network, seconds, reason),
    now,
    clock: Date.now,
    random,
  })
  const swarms = new Swarms({
    limits,
    isMember,
    mayOpen: (kind, address) => manners.mayOpen(kind, address),
    ttl: { address: ttl, socket: Math.ceil(socketInterval * patience) + 60 },
    now,
    random: Math.random,
    secret: random,
    ...(settings.access.mode === 'private' && { accounts: limits }),
  })
  const { mode } = settings.access
  const hasLedger = settings.ledger.file !== '' || settings.cluster.valkey !== ''
  const access = new Access({ mode, hasLedger, swarms, onBan: (ban) => manners.ban(ban), random })
  const { gate } = access
  const withdrawal = new Withdrawal(access, swarms)
  const entrance = new GuardedSwarms(swarms, gate)
  const { owner, folder } = settings.network
  const kept = new KeptLists({ folder, lists: access.network, fresh: () => new InfoHashSet(random), log })
  const network =
    owner === undefined || place !== undefined
      ? undefined
      : new Network({
          settings: { ...settings.network, owner },
          tell: (news) => kept.hear(news),
          log,
        })
  const signalling = new Signalling({
    swarms,
    entrance,
    limits,
    interval: socketInterval,
    random: Math.random,
    secret: random,
    onStray: () => counts.refused('ws', 'stray'),
  })
  const webSockets = new WebSocketTransport({
    signalling,
    gate,
    counts,
    manners,
    places,
    isMember,
    shards,
    limits,
    random: Math.random,
  })
  const httpTracker = new HttpTracker({
    swarms,
    gate,
    entrance,
    counts,
    manners,
    shards,
    trusted: rangesOf(settings.trustProxy),
    onProxy: (kind, address) => members.speaksForOthers(kind, address),
    intervals: { interval, minInterval: Math.min(minInterval, interval) },
    trackerId: randomBytes(4).toString('hex'),
  })
  // The listeners are made with the doors that tell whether they listen.
  const operatorDoors: OperatorDoors = {
    answer: (request, response) => operations.answer(request, response),
    health: () => operations.health(),
  }
  const figures = place === undefined ? registry : new ClusterFigures(place)
  const http = new HttpTransport({
    tracker: httpTracker,
    pages: new HttpPages(figures, operatorDoors, counts, now),
    webSockets,
    counts,
    places,
  })
  const udp = new UdpTransport({
    swarms,
    gate,
    entrance,
    counts,
    manners,
    shards,
    interval,
    ids: new ConnectionIds(now, place?.secret),
  })
  const listeners = new Listeners(http, udp, webSockets)
  const operations = new Operations({
    settings,
    registry,
    swarms,
    webSockets,
    limits,
    answered: () => counts.sums,
    refused: { transports: () => counts.refusals, access: gate.refused },
    access: access.ledger,
    manners,
    listeners,
    ...(owner !== undefined && { network: () => kept.standing }),
    place: place && { own: place.shards.own, workers: place.workers, readAll: (name) => place.readAll(name) },
    log,
    now,
  })

  gauge(registry, 'eldernode_tracker_torrents', 'Torrents that somebody announced lately.', () => swarms.swarms)
  gauge(registry, 'eldernode_tracker_peers', 'Peers of all torrents.', () => swarms.peers)
  gauge(registry, 'eldernode_tracker_websockets', 'Open WebSocket connections.', () => webSockets.sockets)

  if (owner !== undefined) exposeNetwork(registry, () => kept.standing)

  const snapshot = settings.snapshot === '' ? undefined : new SnapshotFiles(settings.snapshot, log, shards?.own)
  const isOwn = shards && ((infoHash: Int32Array): boolean => shards.of(infoHash[0] as number) === shards.own)
  const desk: Desk = {
    packet: (packet, address, port) => udp.take(packet, address, port),
    announce: (asked) => httpTracker.take(asked),
    counts: (infoHash, key, into) => entrance.counts(infoHash, key, into),
    say: (speaker, text) => signalling.message(speaker, parseWebSocket(Buffer.from(text, 'latin1'))),
    leave: (speaker) => signalling.leave(speaker),
    socket: (stream, head, upgrade) => webSockets.take(stream, head, upgrade),
    read: async (name) => (name === figuresName ? await registry.getMetricsAsJSON() : operations.read(name)),
  }
  let nextSweep: NodeJS.Timeout | undefined
  let moreSweep: NodeJS.Immediate | undefined
  const sweep = (): void => {
    withdrawal.tick()
    if (swarms.expire(perSweep)) moreSweep = setImmediate(sweep)
    else nextSweep = setTimeout(sweep, sweepMs)
  }
  const start = async (): Promise<number> => {
    await access.read(settings.access)
    snapshot?.load(swarms, ttl, isOwn)
    if (place === undefined) snapshot?.discard()
    network?.start()
    await operations.start()
    const wanted = place === undefined ? settings.port : await place.join(desk)
    const port = await listeners.start(settings.host, wanted, place !== undefined)
    nextSweep = setTimeout(sweep, sweepMs)
    return port
  }
  return {
    start: async () => {
      try {
        return await start()
      } catch (error) {
        await operations.stop()
        await network?.stop()
        throw error
      }
    },
    change: async (changed) => {
      const counted = await access.read(changed.access)
      Object.assign(limits, limitsOf(changed, place))
      members.ranges = changed.members
      log.level = changed.log.level
      // What each worker reads is the same.
      const isSpeaker = place === undefined || place.shards.own === 0
      const { allow, deny } = changed.access
      if (isSpeaker && allow + deny !== '') log.info(counted, 'the lists of torrents were read again')
    },
    hear: (news) => kept.hear(news),
    stop: async () => {
      clearTimeout(nextSweep)
      clearImmediate(moreSweep)
      withdrawal.stop()
      operations.beginStop()
      await listeners.stop()
      await place?.leave()
      await operations.stop()
      await network?.stop()
      snapshot?.save(swarms)
    },
  }
}
