import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Access, GuardedSwarms } from '../access/index.ts'
import { newPasskey, passkeyHash } from '../ledger/index.ts'
import { Signalling } from '../signalling/index.ts'
import { kinds, Swarms } from '../swarm/index.ts'
import { HttpHead } from '../wire/index.ts'
import { Counts } from './counts.ts'
import { Manners } from './manners.ts'
import { Places } from './places.ts'
import { WebSocketTransport } from './websocket.ts'

let transport: WebSocketTransport
let access: Access
let manners: Manners
let limits: { socketsPerAddress: number }
let swarms: Swarms

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const all = {
    swarms: 10,
    peers: 100,
    peersPerSwarm: 100,
    peersPerKey: 100,
    peerBytesPerSecond: 1e9,
    swarmsPerSocket: 10,
    swarmsPerMember: 10,
    requestsPerAddress: 10,
    banSeconds: 600,
    sockets: 10,
    socketsPerAddress: 10,
    messagesPerSocket: 5,
  }
  limits = all
  const { random } = Math
  const isMember = (): boolean => false
  manners = new Manners({ limits: all, isMember, now: () => 0, clock: () => 0, random })
  const ttl = { address: 100, socket: 100 }
  swarms = new Swarms({ limits: all, accounts: all, ttl, now: () => 0, random, secret: random })
  access = new Access({ mode: 'private', hasLedger: true, swarms, onBan: (ban) => manners.ban(ban), random })
  const entrance = new GuardedSwarms(swarms, access.gate)
  const signalling = new Signalling({
    swarms,
    entrance,
    limits: all,
    interval: 60,
    random,
    secret: random,
    onStray: () => undefined,
  })
  const counts = new Counts(new Registry(), pino({ level: 'silent' }))
  const places = new Places(all)
  transport = new WebSocketTransport({
    signalling,
    gate: access.gate,
    counts,
    manners,
    places,
    isMember,
    limits: all,
    random,
  })
  transport.start()
})

afterEach(async () => {
  const left = transport.stop()
  transport.terminate()
  await left
  vi.useRealTimers()
})

const keys = [newPasskey(), newPasskey()] as const
const tell = (isRevoked: boolean): void => {
  access.ledger.begin()
  access.ledger.apply(
    keys.map((key, i) => ({ kind: 'key', id: i + 1, hash: passkeyHash(key), isRevoked: i === 0 && isRevoked })),
  )
  access.ledger.complete()
}

const open = async (path: string, host = 1) => {
  const [near, far] = duplexPair()
  const head = new HttpHead()
  Object.assign(head, { path, isUpgrade: true, webSocketVersion: '13', webSocketKey: `${'A'.repeat(22)}==` })
  transport.upgrade(head, near, Buffer.alloc(0), kinds.ipv4, Int32Array.of(host, 0, 0, 0))
  const [answer] = (await once(far, 'data')) as [Buffer]
  return { far, status: answer.toString('latin1', 9, 12) }
}

const announce = (far: Awaited<ReturnType<typeof open>>['far'], name: string): void => {
  const text = JSON.stringify({
    action: 'announce',
    info_hash: 'i'.repeat(20),
    peer_id: name.repeat(20),
    left: 1,
    offers: [],
  })
  // Masked with zeros.
  far.write(
    Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), Buffer.from(text)]),
  )
}

const answerOf = async (far: Awaited<ReturnType<typeof open>>['far']): Promise<string> => {
  const [answer] = (await once(far, 'data')) as [Buffer]
  return answer.toString('latin1')
}

/** Resolves when the tracker has ended the connection and knows that the client has, too. */
const hungUp = async (far: Awaited<ReturnType<typeof open>>['far']): Promise<void> => {
  const before = transport.sockets
  far.resume()
  await once(far, 'end')
  far.end()
  await vi.waitFor(() => expect(transport.sockets).toBe(before - 1))
}

/** A whole turn of pings. */
const turn = (): void => {
  vi.advanceTimersByTime(40_000)
}

it('takes the passkey from the path, and nobody without one', async () => {
  expect((await open(`/${keys[0]}/announce`)).status).toBe('403')
  tell(false)
  for (const path of ['/', '/announce', `/${newPasskey()}/announce`, `/${keys[0]}`])
    expect((await open(path)).status).toBe('403')
  for (const path of [`/${keys[0]}/announce`, `/${keys[1]}/announce/3`]) expect((await open(path)).status).toBe('101')
  expect(transport.sockets).toBe(2)
})

it('a revoked key is out of its swarms at once, refused from then on, and its socket is closed within a turn', async () => {
  tell(false)
  const [one, two] = [await open(`/${keys[0]}/announce`), await open(`/${keys[1]}/announce`, 2)]
  announce(one.far, 'a')
  announce(two.far, 'b')
  expect(await answerOf(one.far)).toContain('"interval"')
  expect(swarms.peers).toBe(2)
  tell(true)
  expect(swarms.peers).toBe(1)
  announce(one.far, 'a')
  expect(await answerOf(one.far)).toContain('passkey')
  expect(swarms.peers).toBe(1)
  const closed = hungUp(one.far)
  turn()
  await closed
})

it('the socket of an address that is banned meanwhile is closed within a turn', async () => {
  tell(false)
  const [one, two] = [await open(`/${keys[0]}/announce`), await open(`/${keys[1]}/announce`, 2)]
  manners.ban({ network: '0.0.0.1', until: 1e9 })
  expect((await open(`/${keys[1]}/announce`)).status).toBe('429')
  const closed = hungUp(one.far)
  two.far.resume()
  turn()
  await closed
  // Its answer to the ping. Who does not hang up in turn is cut off.
  two.far.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]))
  await new Promise((done) => setImmediate(done))
  manners.ban({ network: '0.0.0.2', until: 1e9 })
  turn()
  await once(two.far, 'end')
  expect(transport.sockets).toBe(1)
  turn()
  await vi.waitFor(() => expect(transport.sockets).toBe(0))
})

it('who says too much is not read until the next second, and loses nothing', async () => {
  tell(false)
  const { far } = await open(`/${keys[0]}/announce`)
  let text = ''
  far.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const answers = (): number => text.split('"interval"').length - 1
  for (let i = 0; i < 60; i++) announce(far, 'a')
  await vi.waitFor(() => expect(answers()).toBe(50))
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  expect(answers()).toBe(50)
  vi.advanceTimersByTime(2000)
  await vi.waitFor(() => expect(answers()).toBe(60))
})

it('pings every 40 s, and ends who does not answer until the next time', async () => {
  tell(false)
  const [dead, alive] = [await open(`/${keys[0]}/announce`), await open(`/${keys[0]}/announce`, 2)]
  let pings = 0
  alive.far.on('data', (chunk: Buffer) => {
    if (chunk[0] !== 0x89) return
    pings++
    // An empty pong, masked with zeros.
    alive.far.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]))
  })
  const ended = once(dead.far.resume(), 'end')
  for (let turns = 1; turns <= 3; turns++) {
    turn()
    await vi.waitUntil(() => pings === turns)
    expect(dead.far.readableEnded).toBe(turns > 1)
    if (turns === 2) await ended
  }
  await vi.waitFor(() => expect(transport.sockets).toBe(1))
})

it('says goodbye with 1001 (RFC 6455) when it stops, and lets nobody in who still waits', async () => {
  tell(false)
  const { far } = await open(`/${keys[0]}/announce`)
  const answer = once(far, 'data')
  let isLeft = false
  const left = transport.stop().then(() => (isLeft = true))
  const [bytes] = (await answer) as [Buffer]
  expect([...bytes]).toEqual([0x88, 2, 1001 >> 8, 1001 & 255])
  expect(isLeft).toBe(false)
  await hungUp(far)
  await left
})

it('lets a crowd in by and by', async () => {
  tell(false)
  limits.socketsPerAddress = 100
  const crowd = Array.from({ length: 50 }, async () => await open(`/${keys[0]}/announce`))
  const counted: number[] = []
  for (let slices = 0; slices < 3; slices++) {
    await new Promise(setImmediate)
    counted.push(transport.sockets)
    vi.advanceTimersByTime(10)
  }
  expect(counted).toEqual([20, 40, 50])
  for (const { status } of await Promise.all(crowd)) expect(status).toBe('101')
})
