import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RecordingPeer } from '../testing/recording-peer.ts'
import type { WholeTorrent } from '../index.ts'
import { Workbench } from '../testing/workbench.ts'
import type { MadeTorrent } from '../testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(() => bench.close())

/** A shelf whose answers the test gives. */
function handShelf() {
  const asked: { infoHash: string; answer(whole: WholeTorrent | undefined): void; fail(error: Error): void }[] = []
  const open = (infoHash: string): Promise<WholeTorrent | undefined> =>
    new Promise((answer, fail) => asked.push({ infoHash, answer, fail }))
  return { asked, shelf: { open } }
}

async function firstBlock(port: number, made: MadeTorrent): Promise<Buffer | undefined> {
  const peer = await RecordingPeer.open(port, made.infoHash)
  const block = await peer.ask(0, 0, 16_384)
  peer.end()
  return block
}

test('several handshakes at once wake an item once, and each is answered without loss', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf })
  swarm.seed(made.infoHash)
  const blocks = Array.from({ length: 10 }, () => firstBlock(swarm.port, made))
  const woken = swarm.wake(made.infoHash)
  await vi.waitFor(() => expect(swarm.stats().awake + asked.length).toBe(1))
  asked[0]?.answer(made)
  expect(await woken).toBe(true)
  for (const block of await Promise.all(blocks)) expect(block).toEqual(made.contents[0]?.subarray(0, 16_384))
  expect(asked).toHaveLength(1)
  expect(swarm.stats()).toMatchObject({ torrents: 1, awake: 1 })
})

test('an item that is removed while it wakes is not woken, and its peers are let go', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf })
  swarm.seed(made.infoHash)
  const [waking, block] = [swarm.wake(made.infoHash), firstBlock(swarm.port, made)]
  block.catch(() => {})
  await swarm.remove(made.infoHash)
  asked[0]?.answer(made)
  expect(await waking).toBe(false)
  await expect(block).rejects.toThrow(/ended/)
  expect(swarm.stats()).toMatchObject({ torrents: 0, awake: 0, connections: 0 })
})

test('an item removed and seeded anew while it wakes is woken from what the shelf says now', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf })
  swarm.seed(made.infoHash)
  const before = swarm.wake(made.infoHash)
  await swarm.remove(made.infoHash)
  swarm.seed(made.infoHash)
  const after = swarm.wake(made.infoHash)
  asked[1]?.answer(made)
  expect(await after).toBe(true)
  asked[0]?.answer({ ...made, files: [{ path: '/nowhere', size: made.size }] })
  expect(await before).toBe(false)
  expect(await firstBlock(swarm.port, made)).toEqual(made.contents[0]?.subarray(0, 16_384))
  expect(swarm.stats()).toMatchObject({ torrents: 1, awake: 1 })
})

test('a shelf that lacks an item, fails or answers nonsense: the item stays asleep and may wake later', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf })
  swarm.seed(made.infoHash)
  const answers = [
    (): void => asked.at(-1)?.answer(undefined),
    (): void => asked.at(-1)?.fail(new Error('the disk is gone')),
    (): void => asked.at(-1)?.answer({ ...made, metainfo: new Uint8Array(10) }),
    (): void => asked.at(-1)?.answer({ ...made, files: [] }),
  ]
  for (const answer of answers) {
    const waking = swarm.wake(made.infoHash)
    answer()
    expect(await waking).toBe(false)
    expect(swarm.stats()).toMatchObject({ torrents: 1, awake: 0 })
  }
  const waking = swarm.wake(made.infoHash)
  asked.at(-1)?.answer(made)
  expect(await waking).toBe(true)
})

test('a shelf that hangs: whoever waits is let go, and the place is free again', async () => {
  const [made, other] = [await bench.torrent('a', [['a', 10]]), await bench.torrent('b', [['b', 100_000]])]
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf, limits: { maxActive: 1 } })
  swarm.seed(made.infoHash)
  swarm.seed(other.infoHash)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const waking = swarm.wake(made.infoHash)
  expect(await swarm.wake(other.infoHash)).toBe(false)
  expect(swarm.stats().refusedWakes).toBe(1)
  vi.advanceTimersByTime(10_000)
  vi.useRealTimers()
  expect(await waking).toBe(false)
  const next = swarm.wake(other.infoHash)
  asked.at(-1)?.answer(other)
  expect(await next).toBe(true)
  asked[0]?.answer(made)
  expect(await firstBlock(swarm.port, other)).toHaveLength(16_384)
  expect(swarm.stats()).toMatchObject({ torrents: 2, awake: 1 })
})

test('closing while an item wakes ends in order', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const { asked, shelf } = handShelf()
  const swarm = await bench.swarm({ shelf })
  swarm.seed(made.infoHash)
  const [waking, block] = [swarm.wake(made.infoHash), firstBlock(swarm.port, made)]
  block.catch(() => {})
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  await swarm.close()
  asked[0]?.answer(made)
  expect(await waking).toBe(false)
  await expect(block).rejects.toThrow(/ended|ECONN/)
})

test('the item that makes room lets its peers go, and wakes again when asked for', async () => {
  const [a, b] = [await bench.torrent('a', [['a', 100_000]]), await bench.torrent('b', [['b', 100_000]])]
  const clock = { now: 0 }
  const swarm = await bench.swarm({ limits: { maxActive: 1, idleAfter: 60_000 }, now: () => clock.now })
  swarm.seed(a.infoHash)
  swarm.seed(b.infoHash)
  const reader = await RecordingPeer.open(swarm.port, a.infoHash)
  expect(await reader.ask(0, 0, 16_384)).toHaveLength(16_384)
  // Its peer took bytes, so that it stays.
  await expect(firstBlock(swarm.port, b)).rejects.toThrow(/ended/)
  expect(swarm.stats()).toMatchObject({ awake: 1, refusedWakes: 1 })
  expect(reader.closed).toBe(false)
  clock.now = 61_000
  expect(await firstBlock(swarm.port, b)).toEqual(b.contents[0]?.subarray(0, 16_384))
  await reader.until(() => reader.closed)
  expect(await firstBlock(swarm.port, a)).toEqual(a.contents[0]?.subarray(0, 16_384))
  expect(swarm.stats().awake).toBe(1)
})

test('trackers are told all that was uploaded, whether the item slept in between or not', async () => {
  const told: number[] = []
  const tracker = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    told.push(Number(query.get('uploaded')))
    response.end('d8:intervali60ee')
  })
  tracker.listen(0, '127.0.0.1')
  await once(tracker, 'listening')
  bench.onClose(async () => {
    tracker.close()
    tracker.closeAllConnections()
  })
  const [a, b] = [await bench.torrent('a', [['a', 100_000]]), await bench.torrent('b', [['b', 100_000]])]
  const url = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`
  const swarm = await bench.swarm({ trackers: [url], limits: { maxActive: 1 } })
  swarm.seed(a.infoHash)
  await vi.waitFor(() => expect(told).toEqual([0]))
  swarm.seed(b.infoHash)
  for (const made of [a, b, a, b]) {
    await vi.waitFor(async () => expect(await firstBlock(swarm.port, made)).toHaveLength(16_384))
  }
  await Promise.all([swarm.remove(a.infoHash), swarm.remove(b.infoHash)])
  await vi.waitFor(() => expect(told).toHaveLength(4))
  expect(told.slice(0, 2)).toEqual([0, 0])
  for (const bytes of told.slice(2)) expect(bytes).toBeGreaterThan(2 * 16_384)
})

test('peers that sit on an item and take nothing make room for others', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const clock = { now: 0 }
  const swarm = await bench.swarm({ limits: { maxConnsPerItem: 2, idleAfter: 60_000 }, now: () => clock.now })
  swarm.seed(made.infoHash)
  const [idle, reader] = [
    await RecordingPeer.open(swarm.port, made.infoHash),
    await RecordingPeer.open(swarm.port, made.infoHash),
  ]
  await expect(firstBlock(swarm.port, made)).rejects.toThrow(/ended/)
  clock.now = 61_000
  expect(await reader.ask(0, 0, 16_384)).toHaveLength(16_384)
  expect(await firstBlock(swarm.port, made)).toHaveLength(16_384)
  await idle.until(() => idle.closed)
  expect(reader.closed).toBe(false)
  reader.end()
})
