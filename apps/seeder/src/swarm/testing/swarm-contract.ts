import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rawEntries } from '../metainfo/bencode.ts'
import { FetchFailedError, SwarmClosedError, SwarmStartError } from '../index.ts'
import type { FetchRequest, Swarm, SwarmOptions } from '../index.ts'
import { RecordingPeer } from './recording-peer.ts'
import { Relay } from './relay.ts'
import { Workbench } from './workbench.ts'
import type { MadeTorrent } from './workbench.ts'

/** What every engine behind the `Swarm` port must do, over real sockets and files. */
export function describeSwarm(name: string, make: (options: SwarmOptions) => Swarm): void {
  describe(`${name} keeps the contract of a swarm`, () => {
    let bench: Workbench

    beforeEach(async () => {
      bench = await Workbench.open(make)
    })

    afterEach(() => bench.close())

    const item = (what = 'one.bin', size = 100_000): Promise<MadeTorrent> => bench.torrent(what, [[what, size]])
    const at = ({ port }: Swarm): { peers: string[] } => ({ peers: [`127.0.0.1:${port}`] })

    async function expectFetched(swarm: Swarm, made: MadeTorrent, more: Partial<FetchRequest>): Promise<void> {
      const request = await bench.request(made, more)
      const fetched = await swarm.fetch(request)
      expect(hash('sha1', rawEntries(fetched.metainfo).get('info') ?? '')).toBe(made.infoHash)
      expect(fetched.files.map(({ size }) => size)).toEqual(made.contents.map(({ length }) => length))
      for (const [index, content] of made.contents.entries()) {
        expect((await readFile(request.filePath(index))).equals(content)).toBe(true)
      }
    }

    test('what is seeded sleeps until it is asked for', async () => {
      const [a, b] = [await item('a'), await item('b')]
      const swarm = await bench.swarm()
      swarm.seed(a.infoHash)
      swarm.restore([b.infoHash, a.infoHash])
      expect([swarm.has(a.infoHash), swarm.has(b.infoHash), swarm.has('0'.repeat(40))]).toEqual([true, true, false])
      expect(swarm.stats()).toMatchObject({ torrents: 2, awake: 0, connections: 0, uploaded: 0, downloaded: 0 })
      expect(await swarm.wake(a.infoHash)).toBe(true)
      expect(await swarm.wake(a.infoHash)).toBe(true)
      expect(await swarm.wake('0'.repeat(40))).toBe(false)
      expect(swarm.stats()).toMatchObject({ torrents: 2, awake: 1 })
    })

    test('a handshake wakes what sleeps', async () => {
      const made = await item()
      const swarm = await bench.swarm()
      swarm.seed(made.infoHash)
      const peer = await RecordingPeer.open(swarm.port, made.infoHash)
      expect(await peer.ask(1, 0, 16_384)).toEqual(made.contents[0]?.subarray(16_384, 32_768))
      expect(swarm.stats()).toMatchObject({ awake: 1, connections: 1 })
      expect(swarm.stats().uploaded).toBeGreaterThan(16_384)
      peer.end()
      await vi.waitFor(() => expect(swarm.stats().connections).toBe(0))
    })

    test('another swarm fetches it by infohash alone, or with the metainfo', async () => {
      const made = await bench.torrent('folder', [
        ['a.bin', 50_000],
        ['none', 0],
        ['z/b.bin', 70_001],
      ])
      const [seeder, leecher] = [await bench.swarm(), await bench.swarm()]
      seeder.seed(made.infoHash)
      await expectFetched(leecher, made, at(seeder))
      await expectFetched(leecher, made, { ...at(seeder), metainfo: made.metainfo })
      expect(leecher.has(made.infoHash)).toBe(false)
      expect(leecher.stats()).toMatchObject({ torrents: 0, awake: 0 })
      expect(leecher.stats().downloaded).toBeGreaterThan(240_000)
    })

    test('an offer that a tracker passes on wakes what sleeps', async () => {
      const made = await item()
      const relay = await Relay.open()
      bench.onClose(() => relay.close())
      const trackers = [relay.url]
      const [seeder, leecher] = [await bench.swarm({ trackers }), await bench.swarm({ trackers })]
      seeder.seed(made.infoHash)
      // Offers go to peers that the relay knows by then.
      await vi.waitUntil(() => relay.peers === 1, { timeout: 20_000 })
      // A connection that fails is tried again with the next announce, within 30 s.
      await expectFetched(leecher, made, { signal: AbortSignal.timeout(90_000) })
      expect(seeder.stats().awake).toBe(1)
    }, 120_000)

    test('what the shelf lacks is not served', async () => {
      const made = await item()
      const swarm = await bench.swarm()
      swarm.seed(made.infoHash)
      bench.shelf.delete(made.infoHash)
      expect(await swarm.wake(made.infoHash)).toBe(false)
      await expect(RecordingPeer.open(swarm.port, made.infoHash)).rejects.toThrow(/ended/)
      expect(swarm.has(made.infoHash)).toBe(true)
      bench.shelf.set(made.infoHash, made)
      expect(await swarm.wake(made.infoHash)).toBe(true)
    })

    test('what is removed is not served any more, and its peers are let go', async () => {
      const made = await item()
      const swarm = await bench.swarm()
      swarm.seed(made.infoHash)
      const peer = await RecordingPeer.open(swarm.port, made.infoHash)
      await swarm.remove(made.infoHash)
      await swarm.remove(made.infoHash)
      await peer.until(() => peer.closed)
      expect([swarm.has(made.infoHash), await swarm.wake(made.infoHash)]).toEqual([false, false])
      await expect(RecordingPeer.open(swarm.port, made.infoHash)).rejects.toThrow(/ended/)
      expect(swarm.stats()).toMatchObject({ torrents: 0, awake: 0 })
      swarm.seed(made.infoHash)
      await RecordingPeer.open(swarm.port, made.infoHash).then((again) => again.end())
    })

    test('nothing is seeded and fetched at once, nor twice', async () => {
      const [seeded, fetched] = [await item('a'), await item('b')]
      const swarm = await bench.swarm()
      swarm.seed(seeded.infoHash)
      swarm.seed(seeded.infoHash)
      await expect(swarm.fetch(await bench.request(seeded))).rejects.toThrow(FetchFailedError)
      const fetching = swarm.fetch(await bench.request(fetched))
      fetching.catch(() => {})
      await expect(swarm.fetch(await bench.request(fetched))).rejects.toThrow(FetchFailedError)
      expect(() => swarm.seed(fetched.infoHash)).toThrow(FetchFailedError)
      swarm.restore([fetched.infoHash])
      expect(swarm.has(fetched.infoHash)).toBe(false)
      expect(swarm.stats()).toMatchObject({ torrents: 2, awake: 1 })
      await swarm.remove(fetched.infoHash)
      await expect(fetching).rejects.toThrow(FetchFailedError)
      swarm.seed(fetched.infoHash)
      expect(swarm.has(fetched.infoHash)).toBe(true)
    })

    test('what is fetched is sent on meanwhile, to encrypted handshakes too', async () => {
      const made = await item('large', 2_000_000)
      const [seeder, middle, last] = [await bench.swarm(), await bench.swarm(), await bench.swarm()]
      seeder.seed(made.infoHash)
      seeder.limit({ uploadLimit: 500_000 })
      const first = await bench.request(made, at(seeder))
      const fetching = middle.fetch(first)
      await vi.waitFor(() => expect(middle.stats().downloaded).toBeGreaterThan(100_000), 10_000)
      const request = await bench.request(made, { ...at(middle), filePath: (index) => `${first.filePath(index)}-last` })
      await mkdir(dirname(request.filePath(0)), { recursive: true })
      // What it lacks when the middle one is done is not to be had any more.
      const fetchingLast = last.fetch(request)
      fetchingLast.catch(() => {})
      await vi.waitFor(() => expect(last.stats().downloaded).toBeGreaterThan(50_000), 10_000)
      await fetching
      await last.remove(made.infoHash)
      await expect(fetchingLast).rejects.toThrow(FetchFailedError)
    })

    test('an abort ends a fetch with its reason', async () => {
      const made = await item()
      const swarm = await bench.swarm()
      const [abort, reason] = [new AbortController(), new Error('no longer wanted')]
      const fetching = swarm.fetch(await bench.request(made, { signal: abort.signal }))
      abort.abort(reason)
      await expect(fetching).rejects.toBe(reason)
      await expect(swarm.fetch(await bench.request(made, { signal: abort.signal }))).rejects.toBe(reason)
      expect(swarm.stats()).toMatchObject({ torrents: 0, awake: 0, connections: 0 })
    })

    test('at most maxActive are awake, and a lower limit applies at once', async () => {
      const items = await bench.variants(5)
      const swarm = await bench.swarm({ limits: { maxActive: 3 } })
      swarm.restore(items.map(({ infoHash }) => infoHash))
      for (const { infoHash } of items) expect(await swarm.wake(infoHash)).toBe(true)
      expect(swarm.stats()).toMatchObject({ torrents: 5, awake: 3 })
      swarm.limit({ maxActive: 1 })
      expect(swarm.limits()).toMatchObject({ maxActive: 1, maxConnsPerItem: 55 })
      expect(swarm.stats().awake).toBe(1)
      swarm.limit({ maxActive: 4 })
      for (const { infoHash } of items) expect(await swarm.wake(infoHash)).toBe(true)
      expect(swarm.stats().awake).toBe(4)
    })

    test('what nobody asks for any more goes to sleep', async () => {
      const made = await item()
      const swarm = await bench.swarm({ limits: { idleAfter: 50 } })
      swarm.seed(made.infoHash)
      const peer = await RecordingPeer.open(swarm.port, made.infoHash)
      peer.end()
      await vi.waitFor(() => expect(swarm.stats()).toMatchObject({ torrents: 1, awake: 0 }), 5_000)
    })

    test('a torrent has at most maxConnsPerItem connections, and a lower limit closes the idlest', async () => {
      const made = await item()
      const swarm = await bench.swarm({ limits: { maxConnsPerItem: 3 } })
      swarm.seed(made.infoHash)
      const open = (): Promise<RecordingPeer> => RecordingPeer.open(swarm.port, made.infoHash)
      const peers = [await open(), await open(), await open()]
      await expect(open()).rejects.toThrow(/ended/)
      await peers[0]?.ask(0, 0, 16_384)
      swarm.limit({ maxConnsPerItem: 1 })
      await vi.waitFor(() => expect(peers.map(({ closed }) => closed)).toEqual([false, true, true]))
      for (const peer of peers) peer.end()
    })

    test('all torrents together have at most maxConns connections, and a lower limit closes the idlest', async () => {
      const items = await bench.variants(4)
      const swarm = await bench.swarm({ limits: { maxConns: 3 } })
      swarm.restore(items.map(({ infoHash }) => infoHash))
      const open = (index: number): Promise<RecordingPeer> =>
        RecordingPeer.open(swarm.port, items[index]?.infoHash ?? '')
      const peers = [await open(0), await open(1), await open(2)]
      await expect(open(3)).rejects.toThrow(/ended/)
      expect(swarm.stats().refusedConnections).toBe(1)
      await peers[2]?.ask(0, 0, 16_384)
      swarm.limit({ maxConns: 1 })
      await vi.waitFor(() => expect(peers.map(({ closed }) => closed)).toEqual([true, true, false]))
      for (const peer of peers) peer.end()
    })

    test('a port in use is a clear error', async () => {
      const swarm = await bench.swarm()
      await expect(bench.swarm({ port: swarm.port })).rejects.toThrow(SwarmStartError)
    })

    test('closing ends what is under way, and nothing works after it', async () => {
      const [seeded, fetched] = [await item('a'), await item('b')]
      const swarm = await bench.swarm()
      const { port } = swarm
      swarm.seed(seeded.infoHash)
      const peer = await RecordingPeer.open(port, seeded.infoHash)
      const fetching = swarm.fetch(await bench.request(fetched))
      fetching.catch(() => {})
      await swarm.close()
      await swarm.close()
      await expect(fetching).rejects.toThrow(FetchFailedError)
      await peer.until(() => peer.closed)
      expect(swarm.has(seeded.infoHash)).toBe(false)
      expect(await swarm.wake(seeded.infoHash)).toBe(false)
      expect(() => swarm.port).toThrow(SwarmClosedError)
      expect(() => swarm.seed(seeded.infoHash)).toThrow(SwarmClosedError)
      expect(() => swarm.restore([])).toThrow(SwarmClosedError)
      await expect(swarm.fetch(await bench.request(fetched))).rejects.toThrow(SwarmClosedError)
      await swarm.remove(seeded.infoHash)
      expect(swarm.stats()).toMatchObject({ torrents: 0, awake: 0, connections: 0 })
      await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/)
    })
  })
}
