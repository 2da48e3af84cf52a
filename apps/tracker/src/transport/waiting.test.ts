import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Access, GuardedSwarms } from '../access/index.ts'
import { Signalling } from '../signalling/index.ts'
import { kinds, Swarms } from '../swarm/index.ts'
import { HttpHead } from '../wire/index.ts'
import { Counts } from './counts.ts'
import { Manners } from './manners.ts'
import { Places } from './places.ts'
import { WebSocketTransport } from './websocket.ts'

const limits = {
  swarms: 10,
  peers: 100,
  peersPerSwarm: 100,
  swarmsPerSocket: 10,
  swarmsPerMember: 10,
  requestsPerAddress: 10,
  banSeconds: 600,
  sockets: 100,
  socketsPerAddress: 100,
  messagesPerSocket: 5,
}

it('of those who wait with half a message the last ones go, and nobody else', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { random } = Math
  const isMember = (): boolean => false
  const ttl = { address: 100, socket: 100 }
  const swarms = new Swarms({ limits, ttl, now: () => 0, random, secret: random })
  const manners = new Manners({ limits, isMember, now: () => 0, clock: () => 0, random })
  const { gate } = new Access({ mode: 'open', hasLedger: false, swarms, onBan: () => undefined, random })
  const onStray = (): void => undefined
  const entrance = new GuardedSwarms(swarms, gate)
  const signalling = new Signalling({ swarms, entrance, limits, interval: 60, random, secret: random, onStray })
  const counts = new Counts(new Registry(), pino({ level: 'silent' }))
  // All of them are looked at in the same second.
  const places = new Places(limits)
  const transport = new WebSocketTransport({
    signalling,
    gate,
    counts,
    manners,
    places,
    isMember,
    limits,
    random: () => 0,
  })
  transport.start()
  onTestFinished(async () => {
    const left = transport.stop()
    transport.terminate()
    await left
  })
  let hosts = 0
  const open = async (rest: Buffer): Promise<void> => {
    const [near, far] = duplexPair()
    const head = new HttpHead()
    Object.assign(head, { path: '/', isUpgrade: true, webSocketVersion: '13', webSocketKey: `${'A'.repeat(22)}==` })
    transport.upgrade(head, near, rest, kinds.ipv4, Int32Array.of(++hosts, 0, 0, 0))
    const answered = once(far, 'data')
    // The pacer lets in some at once and the others by and by.
    vi.advanceTimersByTime(10)
    await answered
  }
  // A frame of 60,000 bytes of which one is missing.
  const partial = Buffer.alloc(60_007)
  partial.set([0x81, 0xfe, 60_000 >> 8, 60_000 & 255])
  for (let i = 0; i < 40; i++) await open(partial)
  for (let i = 0; i < 10; i++) await open(Buffer.alloc(0))
  expect(transport.sockets).toBe(50)
  vi.advanceTimersByTime(40_000)
  // 64 MiB for all, a fortieth of it for those of one second.
  const kept = Math.floor((64 * 1024 * 1024) / 40 / 60_007)
  await vi.waitFor(() => expect(transport.sockets).toBe(kept + 10))
})
