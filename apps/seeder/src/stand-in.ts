import type { Accepted, Bodies, Graph, Kind, NodeId } from '@eldernode/core'
import type { Replication } from './replication/index.ts'

/** Keeps published values in memory until the graph is there. */
export function standInGraph(self: NodeId): Graph {
  const values = new Map<string, Accepted>()
  return {
    publish: async <K extends Kind>(kind: K, key: string, body: Bodies[K]) => {
      const value = { kind, pub: self, ts: Date.now(), soul: '', key, body }
      values.set(`${kind}/${self}/${key}`, value)
      return value
    },
    get: <K extends Kind>(kind: K, pub: NodeId, key: string) =>
      values.get(`${kind}/${pub}/${key}`) as Accepted<Bodies[K]> | undefined,
    entries: () => [],
    admits: () => true,
    watch: () => () => undefined,
    accept: (socket) => socket.terminate(),
    stats: () => ({ links: [], accepted: 0, refused: {} }),
    start: async () => undefined,
    close: async () => undefined,
  }
}

export function standInReplication(): Replication {
  return {
    start: async () => undefined,
    peers: () => [],
    stats: () => ({ queued: 0, running: 0, fetched: 0, fetchedBytes: 0, failures: {}, live: 1, inStep: true }),
    close: async () => undefined,
  }
}
