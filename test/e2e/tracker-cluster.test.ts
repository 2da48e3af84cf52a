import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFailed, onTestFinished, test } from 'vitest'
import { Program, Seeder, until } from '../harness/index.ts'
import { RawSocket, UdpPeer } from '../harness/announces.ts'

const main = resolve(import.meta.dirname, '../../apps/tracker/src/main.ts')
const most = { within: 40_000 }

let folder = ''
let tracker: Program
let port = 0

const start = async (workers: number): Promise<void> => {
  tracker = new Program({
    name: 'tracker',
    command: process.execPath,
    args: [
      '--conditions=@eldernode/source',
      main,
      '--host=127.0.0.1',
      `--port=${port}`,
      `--cluster.workers=${workers}`,
      `--snapshot=${join(folder, 'peers')}`,
      `--access.deny=${join(folder, 'denied')}`,
    ],
  })
  const url = await until(() => tracker.found((line) => /ws:\/\/[\d.:]+/.exec(line)?.[0]), {
    ...most,
    what: 'the tracker listens',
  })
  port = Number(new URL(url).port)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-tracker-cluster-'))
  await writeFile(join(folder, 'denied'), '')
  await start(2)
})
afterAll(async () => {
  await tracker.stop()
  await rm(folder, { recursive: true, force: true })
})

const latin = (data: Buffer): string => data.toString('latin1')
const escaped = (data: Buffer): string => data.toString('hex').replace(/../g, '%$&')

/** Of two shards the parity of the first four bytes tells. */
const torrentOf = (shard: number): Buffer => {
  const infoHash = randomBytes(20)
  infoHash.writeUInt8((infoHash.readUInt8(3) & 0xfe) | shard, 3)
  return infoHash
}

/** Each over a connection of its own, so that the kernel chooses the worker anew. */
const fetched = (path: string): Promise<string> =>
  new Promise((done, fail) => {
    get(`http://127.0.0.1:${port}${path}`, { agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => done(latin(Buffer.concat(chunks))))
    }).on('error', fail)
  })

const announce = (infoHash: Buffer, from: number): Promise<string> =>
  fetched(`/announce?info_hash=${escaped(infoHash)}&peer_id=${'p'.repeat(20)}&port=${from}&left=0`)

const seedersOf = (answer: string): number => Number(/8:completei(\d+)e/.exec(answer)?.[1] ?? -1)

const figure = async (name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await fetched('/metrics'))?.[1])

/** A page of metrics may be a second old, at each worker another one. */
const figureIs = async (name: string, value: number, what: string): Promise<void> =>
  void (await until(async () => (await figure(name)) === value || undefined, { ...most, what }))

const peerId = (name: string | number): string => `${name}`.padEnd(20, '.')

const say = (infoHash: Buffer, name: string | number, more: object = {}) => ({
  action: 'announce',
  info_hash: latin(infoHash),
  peer_id: peerId(name),
  left: 1,
  offers: [],
  ...more,
})

/** Takes messages until one fits; others are dropped. */
const heard = (socket: RawSocket, fits: (message: Record<string, unknown>) => boolean, what: string) =>
  until(
    () => {
      for (let message = socket.take(); message !== undefined; message = socket.take())
        if (fits(message)) return message
      return undefined
    },
    { ...most, what },
  )

/** Files of peers. */
const kept = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => /^peers(\.\d+)?$/.test(name)).toSorted()

test('HTTP and UDP are answered by the worker that keeps the torrent, whoever got the request', async () => {
  onTestFailed(() => console.error(tracker.output()))
  const torrents = [torrentOf(0), torrentOf(1)] as const
  for (let from = 1; from <= 8; from++) {
    for (const infoHash of torrents) expect(seedersOf(await announce(infoHash, 7000 + from))).toBe(from)
  }
  for (let peers = 1; peers <= 6; peers++) {
    const peer = await UdpPeer.open(port)
    onTestFinished(() => peer.close())
    const id = await peer.connect()
    for (const infoHash of torrents) {
      peer.send(UdpPeer.announce(id, infoHash, peerId('udp'), { port: 8000 + peers }))
      const answer = await peer.next(5000)
      expect(answer?.readInt32BE(16)).toBe(8)
      expect(answer?.readInt32BE(12)).toBe(peers)
    }
    const scrape = Buffer.concat([id, Buffer.from('0000000200000007', 'hex'), ...torrents])
    peer.send(scrape)
    const counts = await peer.next(5000)
    expect([8, 16, 20, 28].map((at) => counts?.readInt32BE(at))).toEqual([8, peers, 8, peers])
  }
  const scraped = await fetched(`/scrape?info_hash=${escaped(torrents[0])}&info_hash=${escaped(torrents[1])}`)
  expect(scraped.match(/8:completei8e10:downloadedi0e11:downloadersi6e10:incompletei6e/g)).toHaveLength(2)
  await figureIs('eldernode_tracker_torrents', 2, 'the torrents of both workers are told')
  await figureIs('eldernode_tracker_peers', 28, 'the peers of both workers are told')
})

test('WebSockets of all workers signal to each other, by whatever path they came', async () => {
  onTestFailed(() => console.error(tracker.output()))
  const paths = ['/', '/announce', '/announce/0', '/announce/1', '/announce/0', '/announce/1', '/']
  const sockets = await Promise.all(paths.map((path) => RawSocket.open(`ws://127.0.0.1:${port}${path}`)))
  onTestFinished(async () => {
    await Promise.all(sockets.slice(1).map((socket) => socket.close()))
  })
  const [offerer, ...others] = sockets as [RawSocket, ...RawSocket[]]
  const torrents = [torrentOf(0), torrentOf(1)]
  for (const infoHash of torrents) {
    for (const [i, socket] of others.entries()) {
      socket.send(say(infoHash, i))
      await heard(socket, ({ incomplete }) => incomplete === i + 1, 'the answer to an announce')
    }
    const offers = others.map((_, i) => ({
      offer: { type: 'offer', sdp: 'v=0' },
      offer_id: `${i}`.repeat(20),
    }))
    offerer.send(say(infoHash, 'offerer', { offers }))
    for (const [i, socket] of others.entries()) {
      const { offer_id } = await heard(socket, (message) => message['offer'] !== undefined, 'an offer')
      const answer = { type: 'answer', sdp: `v=${i}` }
      socket.send(say(infoHash, i, { to_peer_id: peerId('offerer'), offer_id, answer }))
    }
    const answered = new Set<unknown>()
    await heard(
      offerer,
      ({ answer, peer_id }) => {
        if (answer !== undefined) answered.add(peer_id)
        return answered.size === others.length
      },
      'all answers',
    )
  }
  offerer.send({ action: 'scrape', info_hash: torrents.map(latin) })
  const { files } = await heard(offerer, ({ action }) => action === 'scrape', 'the answer to a scrape')
  expect(Object.values(files as object)).toEqual(
    [0, 1].map(() => ({ complete: 0, incomplete: 7, downloaded: 0, downloaders: 7 })),
  )
  await offerer.close()
  await figureIs('eldernode_tracker_peers', 28 + 12, 'who hangs up is out of the swarms of all workers')
  await figureIs('eldernode_tracker_websockets', 6, 'the other sockets are still there')
})

test('a seeder announces each item to its shard, and names that in the magnet', async () => {
  const seeder = new Seeder('node', join(folder, 'node'), {
    'network.allowPrivate': true,
    'swarm.trackers': [`ws://127.0.0.1:${port}/announce/{2}`],
  })
  onTestFinished(async () => await seeder.stop())
  onTestFailed(() => console.error(seeder.output()))
  await seeder.start()
  await seeder.ready()
  for (let i = 0; i < 3; i++) {
    const { id, magnet } = await seeder.publish(`${i}.bin`, randomBytes(1000))
    const shard = Number.parseInt(id.slice(0, 8), 16) % 2
    expect(new URL(magnet).searchParams.getAll('tr')).toEqual([`ws://127.0.0.1:${port}/announce/${shard}`])
    const path = `/scrape?info_hash=${escaped(Buffer.from(id, 'hex'))}`
    const isAnnounced = async () => seedersOf(await fetched(path)) === 1
    await until(isAnnounced, { ...most, what: 'the item is announced' })
  }
})

test('a malformed message for another worker counts against its sender', async () => {
  const socket = await RawSocket.open(`ws://127.0.0.1:${port}/announce/0`)
  const other = await RawSocket.open(`ws://127.0.0.1:${port}/announce/0`)
  onTestFinished(async () => {
    await other.close()
  })
  const infoHash = torrentOf(1)
  other.send(say(infoHash, 'stolen'))
  await heard(other, ({ incomplete }) => incomplete === 1, 'an answer')
  const closed = socket.closed()
  // Nobody stops somebody else's peer; who goes on trying is cut off.
  for (let i = 0; i < 30; i++) socket.send(say(infoHash, 'stolen', { event: 'stopped' }))
  expect(await closed).toBe(1008)
})

test('SIGHUP reaches every worker', async () => {
  const torrents = [torrentOf(0), torrentOf(1)]
  await writeFile(join(folder, 'denied'), torrents.map((infoHash) => infoHash.toString('hex')).join('\n'))
  process.kill(tracker.pid, 'SIGHUP')
  for (const infoHash of [...torrents, ...torrents, ...torrents]) {
    const isDenied = async () => ((await announce(infoHash, 7001)).includes('denied') ? true : undefined)
    await until(isDenied, { ...most, what: 'the list was read again' })
  }
  await writeFile(join(folder, 'denied'), '')
  process.kill(tracker.pid, 'SIGHUP')
  const isServed = async () => (seedersOf(await announce(torrents[1] as Buffer, 7001)) === 1 ? true : undefined)
  await until(isServed, { ...most, what: 'the list is empty again' })
})

test('a worker that is killed takes its own shard with it, and comes back; peers outlive other numbers of workers', async () => {
  onTestFailed(() => console.error(tracker.output()))
  const torrents = [torrentOf(0), torrentOf(1)] as const
  for (const from of [7001, 7002]) for (const infoHash of torrents) await announce(infoHash, from)
  const open = (path: string) => Promise.all([1, 2, 3].map(() => RawSocket.open(`ws://127.0.0.1:${port}${path}`)))
  const [others, lost] = [await open('/announce/0'), await open('/announce/1')]
  const pids = tracker.found((line) => /"workers":\[(\d+),(\d+)\]/.exec(line)?.slice(1)) ?? []
  const closed = Promise.all(lost.map((socket) => socket.closed()))
  process.kill(Number(pids[1]), 'SIGKILL')
  expect(await closed).toEqual([1006, 1006, 1006])
  const isBack = async () => {
    const answer = await announce(torrents[1], 7003).catch(() => '')
    return seedersOf(answer) === -1 ? undefined : answer
  }
  expect(seedersOf(await until(isBack, { ...most, what: 'the worker is back' }))).toBe(1)
  expect(seedersOf(await announce(torrents[0], 7003))).toBe(3)
  for (const [i, socket] of others.entries()) {
    // The other worker may not have found the new one yet.
    const isIn = (): true | undefined => {
      socket.send(say(torrents[1], i))
      return socket.take()?.['incomplete'] === i + 1 ? true : undefined
    }
    await until(isIn, { ...most, what: 'a socket of the other worker goes on', every: 50 })
  }
  await announce(torrents[1], 7004)

  expect(await tracker.end('SIGTERM')).toBe(0)
  expect(await kept()).toEqual(['peers.0', 'peers.1'])
  port = 0
  await start(1)
  expect(seedersOf(await announce(torrents[0], 7005))).toBe(4)
  expect(seedersOf(await announce(torrents[1], 7005))).toBe(3)
  expect(await tracker.end('SIGTERM')).toBe(0)
  expect(await kept()).toEqual(['peers'])
  port = 0
  await start(2)
  expect(seedersOf(await announce(torrents[0], 7006))).toBe(5)
  expect(seedersOf(await announce(torrents[1], 7006))).toBe(4)
  expect(await kept()).toEqual([])
})

test('a port that another program listens on is not shared with it', async () => {
  const args = ['--conditions=@eldernode/source', main, '--host=127.0.0.1', `--port=${port}`, '--cluster.workers=2']
  const second = new Program({ name: 'second', command: process.execPath, args })
  onTestFinished(async () => void (await second.end('SIGKILL')))
  expect(await second.exited()).toBe(1)
  expect(second.output()).toContain(`Cannot listen on 127.0.0.1 port ${port}: another program has it`)
})
