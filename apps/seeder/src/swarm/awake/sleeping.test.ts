import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { queryObjects } from 'node:v8'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { noLedger } from '../options.ts'
import { RecordingPeer } from '../testing/recording-peer.ts'
import { liveBytes, Workbench } from '../testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(async () => {
  vi.useRealTimers()
  await bench.close()
})

/**
 * How many there are of what an item or a connection takes: torrents, peers, connections, sockets and streams emit
 * events, each of them. Those of the test itself are among them.
 */
function emitters(): number {
  return queryObjects(EventEmitter, { format: 'count' })
}

/** Some of those that ended last are kept for a while, by timers and by the system's calls. */
async function expectNoMoreThan(before: number): Promise<void> {
  await vi.waitFor(() => expect(emitters()).toBeLessThan(before + 50), 10_000)
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

const greeting = (infoHash: string): Buffer =>
  Buffer.concat([
    Buffer.from('\u0013BitTorrent protocol', 'latin1'),
    Buffer.from('0000000000100004', 'hex'),
    Buffer.from(infoHash, 'hex'),
    randomBytes(20),
  ])

/** Connections that each begin with what `act` does, in parts of a hundred; resolves when all are closed again. */
async function flood(port: number, connections: number, act: (socket: Socket, index: number) => void): Promise<void> {
  for (let from = 0; from < connections; from += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, part) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.resume()
        await once(socket, 'connect')
        act(socket, from + part)
        // Whoever is not cut off by then leaves.
        const leaving = setTimeout(() => socket.destroy(), 10)
        await once(socket, 'close')
        clearTimeout(leaving)
      }),
    )
  }
}

test('an item that went to sleep leaves nothing behind, however often it was woken', { timeout: 120_000 }, async () => {
  const items = await bench.variants(200)
  const clock = { now: 0 }
  const swarm = await bench.swarm({ limits: { maxActive: 20 }, now: () => clock.now })
  swarm.restore(items.map(({ infoHash }) => infoHash))
  const downloadEach = async (): Promise<void> => {
    for (let from = 0; from < items.length; from += 20) {
      const peers = await Promise.all(
        items.slice(from, from + 20).map(async (made, index) => {
          const peer = await RecordingPeer.open(swarm.port, made.infoHash)
          expect(await peer.ask(0, 0, 16_384)).toEqual(made.contents[0]?.subarray(0, 16_384))
          // Some leave, and some are there when the item goes to sleep.
          if (index % 2 === 0) peer.end()
          return peer
        }),
      )
      clock.now += 3_600_000
      if (from + 20 >= items.length) swarm.limit({ maxActive: 0 })
      else await Promise.all(items.slice(from + 20, from + 40).map(({ infoHash }) => swarm.wake(infoHash)))
      await Promise.all(peers.map((peer) => peer.until(() => peer.closed)))
    }
    expect(swarm.stats()).toMatchObject({ torrents: 200, awake: 0, refusedWakes: 0 })
    await vi.waitFor(() => expect(swarm.stats().connections).toBe(0))
    swarm.limit({ maxActive: 20 })
  }
  const before = emitters()
  await downloadEach()
  await expectNoMoreThan(before)
  const [bytes, running] = [liveBytes(), timers()]
  for (let round = 0; round < 4; round++) await downloadEach()
  await expectNoMoreThan(before)
  expect(timers()).toBeLessThanOrEqual(running)
  expect(liveBytes() - bytes).toBeLessThan(1_000_000)
})

test.each<[string, (infoHash: string) => (socket: Socket) => void]>([
  ['say nothing', () => () => {}],
  ['say nonsense', () => (socket) => socket.write(randomBytes(300))],
  ['begin an encrypted handshake', () => (socket) => socket.write(randomBytes(96))],
  ['ask for what is not here', () => (socket) => socket.write(greeting(randomBytes(20).toString('hex')))],
  ['say half of a greeting', (infoHash) => (socket) => socket.write(greeting(infoHash).subarray(0, 50))],
  ['greet and leave', (infoHash) => (socket) => socket.end(greeting(infoHash))],
  ['greet and break off', (infoHash) => (socket) => socket.write(greeting(infoHash), () => socket.resetAndDestroy())],
])('a thousand peers that %s leave nothing behind', { timeout: 120_000 }, async (_what, act) => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const clock = { now: 0 }
  const swarm = await bench.swarm({ now: () => clock.now })
  swarm.seed(made.infoHash)
  const before = emitters()
  await flood(swarm.port, 100, act(made.infoHash))
  const [bytes, running] = [liveBytes(), timers()]
  await flood(swarm.port, 1_000, act(made.infoHash))
  clock.now += 3_600_000
  await vi.waitFor(() => expect(swarm.stats().connections).toBe(0))
  swarm.limit({ maxActive: 0 })
  await expectNoMoreThan(before)
  expect(timers()).toBeLessThanOrEqual(running + 2)
  expect(liveBytes() - bytes).toBeLessThan(1_000_000)
})

test('five thousand half-open connections shut no peer out', { timeout: 120_000 }, async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const swarm = await bench.swarm()
  swarm.seed(made.infoHash)
  const sockets: Socket[] = []
  bench.onClose(async () => {
    for (const socket of sockets) socket.destroy()
  })
  for (let opened = 0; opened < 5_000; opened += 100) {
    const part = Array.from({ length: 100 }, () =>
      connect(swarm.port, '127.0.0.1')
        .on('error', () => {})
        .resume(),
    )
    sockets.push(...part)
    await Promise.all(part.map((socket) => once(socket, 'connect')))
    if (opened % 1_000 !== 0) continue
    const peer = await RecordingPeer.open(swarm.port, made.infoHash)
    expect(await peer.ask(0, 0, 16_384)).toHaveLength(16_384)
    peer.end()
  }
  // At most 128 strangers of one address wait at the door.
  await vi.waitFor(() => expect(sockets.filter((socket) => !socket.closed).length).toBeLessThanOrEqual(130))
  expect(swarm.stats().refusedConnections).toBeGreaterThan(4_800)
})

test('an item goes to sleep and wakes again though the ledger cannot be written', async () => {
  const [first, second] = await bench.variants(2)
  if (first === undefined || second === undefined) throw new Error('no torrents')
  // What is read of files that are as new as those proves nothing.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
  const verified = vi.fn<() => never>(() => {
    throw new Error('database or disk is full')
  })
  const ledger = { ...noLedger, verified }
  const swarm = await bench.swarm({ ledger, limits: { maxActive: 1 } })
  swarm.restore([first.infoHash, second.infoHash])
  for (const { infoHash } of [first, second, first]) {
    expect(await swarm.wake(infoHash)).toBe(true)
    expect(await swarm.check(infoHash, 'all', AbortSignal.timeout(5_000))).toBe(0)
  }
  expect(verified).toHaveBeenCalledTimes(2)
  expect(swarm.stats().awake).toBe(1)
})
