import { createHash, createPrivateKey } from 'node:crypto'
import type { Heartbeat, Manifest } from '@eldernode/core'
import { identityOf } from '@eldernode/member/keys'

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function identityOfSeed(seed: string): ReturnType<typeof identityOf> {
  return identityOf(
    createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' }),
  )
}

/** The manifest number `n` of a series: about as large as one of a real single-file item. */
export function manifestOf(salt: string, n: number): Manifest {
  const infoHash = createHash('sha1').update(`${salt}${n}`).digest('hex')
  const sha256 = createHash('sha256').update(infoHash).digest('hex')
  const name = `Holiday film number ${n} of the series ${salt}.mp4`
  return {
    infoHash,
    name,
    size: 1_000_000 + n,
    pieceLength: 16_384,
    files: [{ path: name, size: 1_000_000 + n, sha256, type: 'video/mp4' }],
    trackers: ['http://127.0.0.1:8000/announce', 'udp://127.0.0.1:8000', 'ws://127.0.0.1:8000'],
    replicas: { min: 2, target: 3 },
    access: 'public',
    tags: ['holiday', 'film'],
    createdAt: 1_700_000_000_000 + n,
    state: 'live',
  }
}

export function heartbeatOf(gun: string | undefined): Heartbeat {
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
