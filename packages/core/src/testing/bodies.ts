import type { Manifest } from '../manifest/index.ts'
import type { Heartbeat } from '../presence/schema.ts'

/** A valid manifest of a small item. */
export function manifestOf(infoHash: string, more: Partial<Manifest> = {}): Manifest {
  return {
    infoHash,
    name: 'film.mp4',
    size: 1000,
    pieceLength: 16_384,
    files: [{ path: 'film.mp4', size: 1000, sha256: 'ab'.repeat(32), type: 'video/mp4' }],
    trackers: [],
    replicas: { min: 1, target: 2 },
    access: 'public',
    createdAt: 1,
    state: 'live',
    ...more,
  }
}

/** A valid heartbeat of a node without much to tell. */
export function heartbeatOf(gun?: string): Heartbeat {
  return {
    endpoints: { http: 'http://127.0.0.1:1', ...(gun !== undefined && { gun }) },
    zone: '',
    operator: 'test',
    state: 'active',
    capacity: { bytes: 1000, used: 0, free: 1000 },
    load: { up: 0, down: 0, connections: 0 },
    counts: { items: 0, awake: 0, queue: 0 },
    version: 'test',
  }
}
