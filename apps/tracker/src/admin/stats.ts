/** Torrents of the most peers, as far as one look goes. */
export interface StatsSwarm {
  infoHash: string
  complete: number
  incomplete: number
  downloaded: number
}

/** Peers that only give (complete, or paused), and peers that fetch. */
export interface PeerCounts {
  giving: number
  fetching: number
}

/** What one process of the tracker knows of itself. Plain JSON, as it crosses processes. */
export interface WorkerStats {
  worker: number
  pid: number
  uptimeSeconds: number
  swarms: number
  /** Peers of HTTP and UDP have an address, those of WebSocket a socket. */
  peers: { ipv4: PeerCounts; ipv6: PeerCounts; webSocket: PeerCounts }
  webSockets: number
  /** Addresses and IPv6 /64 that are not listened to. */
  bans: number
  /** Requests a second over the last minute, `<transport>_<action>`. */
  rates: Record<string, number>
  /** Since the process began, by reason. */
  refused: Record<string, number>
  /** Bytes. */
  memory: { rss: number; heapUsed: number; external: number; arrayBuffers: number }
  largest: StatsSwarm[]
}

export interface LedgerStats {
  kind: 'file' | 'valkey'
  /** Whether all of it has been heard once. */
  isReady: boolean
  /** Seconds since its last answer. */
  silentSeconds: number
  /** Times that it was asked in vain. */
  failures: number
}

/** How the tracker stands in the network whose torrents it lists. */
export interface NetworkStats {
  /** Links to members that proved their key, and those of them that nothing is left to fetch from. */
  links: number
  inStep: number
  /** Whether the network's owner admits this tracker. */
  member: boolean
  /** Whether the list is all that the network lists. */
  ready: boolean
  /** Torrents that it lists, and those that it denies. */
  live: number
  denied: number
}

export interface Stats {
  mode: string
  swarms: number
  peers: WorkerStats['peers'] & { total: number }
  webSockets: number
  bans: number
  rates: Record<string, number>
  refused: Record<string, number>
  memory: { rss: number }
  largest: StatsSwarm[]
  ledger: LedgerStats | null
  /** Null for a tracker that follows none. */
  network: NetworkStats | null
  workers: readonly WorkerStats[]
}

/** How many of the largest swarms are told. */
export const largestTold = 20

/** All processes as one tracker. */
export const sumStats = (
  { mode, ledger, network }: Pick<Stats, 'mode' | 'ledger' | 'network'>,
  workers: readonly WorkerStats[],
): Stats => {
  const sum = (read: (worker: WorkerStats) => number): number =>
    workers.reduce((total, worker) => total + read(worker), 0)
  const peers = (kind: keyof WorkerStats['peers']): PeerCounts => ({
    giving: sum((worker) => worker.peers[kind].giving),
    fetching: sum((worker) => worker.peers[kind].fetching),
  })
  const all = { ipv4: peers('ipv4'), ipv6: peers('ipv6'), webSocket: peers('webSocket') }
  return {
    mode,
    swarms: sum(({ swarms }) => swarms),
    peers: { ...all, total: Object.values(all).reduce((total, { giving, fetching }) => total + giving + fetching, 0) },
    webSockets: sum(({ webSockets }) => webSockets),
    // Workers tell each other of bans.
    bans: Math.max(0, ...workers.map(({ bans }) => bans)),
    rates: sumOf(workers.map(({ rates }) => rates)),
    refused: sumOf(workers.map(({ refused }) => refused)),
    memory: { rss: sum(({ memory }) => memory.rss) },
    largest: workers
      .flatMap(({ largest }) => largest)
      .sort((a, b) => b.complete + b.incomplete - a.complete - a.incomplete)
      .slice(0, largestTold),
    ledger,
    network,
    workers,
  }
}

const sumOf = (records: readonly Record<string, number>[]): Record<string, number> => {
  const total: Record<string, number> = {}
  for (const one of records) for (const [name, value] of Object.entries(one)) total[name] = (total[name] ?? 0) + value
  return Object.fromEntries(Object.entries(total).map(([name, value]) => [name, Math.round(value * 100) / 100]))
}
