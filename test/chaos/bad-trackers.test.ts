import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { backToLevel, footprint, LibtorrentBatch, populate, type Population, Seeder, until } from '../harness/index.ts'
import { type HttpAnswer, ScriptedTracker, type SocketAnswer } from '../harness/scripted-tracker.ts'
import { lacks } from '../harness/tools.ts'
import { brokenOffers } from './broken-offers.ts'

const items = 30
const allowed = { liveBytes: 12 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 40 }

const says =
  (body: string, status = 200, headers: Record<string, string> = {}): HttpAnswer =>
  (response) =>
    response.writeHead(status, headers).end(Buffer.from(body, 'latin1'))

const redirects = (location: (port: number) => string): HttpAnswer => {
  return (response, { port }) => response.writeHead(302, { location: location(port) }).end()
}

let elsewhere = 0

const http: Readonly<Record<string, HttpAnswer>> = {
  garbage: says('\u0000\u00ff'.repeat(5_000)),
  nested: says('l'.repeat(200_000)),
  'string-of-no-end': says('d8:interval99999999999999999999:x'),
  'huge-interval': says('d8:intervali99999999999999999999e12:min intervali9007199254740991e5:peers0:e'),
  'negative-interval': says('d8:intervali-1800e12:min intervali-1e5:peers0:e'),
  'word-for-interval': says('d8:interval4:soon5:peersli1ei2eee'),
  'odd-peers': says(`d8:intervali15e5:peers${'7:1234567'}e`),
  'never-again': says('d14:failure reason2:no8:retry in5:nevere'),
  'far-too-long': says(`d5:peers9000000:${'x'.repeat(9_000_000)}e`),
  'server-error': says('', 503, { 'retry-after': '999999' }),
  'redirect-loop': redirects((port) => `http://127.0.0.1:${port}/redirect-loop/announce`),
  'redirect-elsewhere': redirects(() => `http://127.0.0.1:${elsewhere}/announce`),
  'redirect-nowhere': redirects(() => 'file:///etc/passwd'),
  silence: () => {},
}

const sockets: Readonly<Record<string, SocketAnswer>> = {
  'ws-garbage': (socket) => {
    for (const text of ['', 'null', '[]', '{"action":5}', '{"__proto__":{"action":"announce"}}', '\u0000'])
      socket.send(text)
    socket.send(Buffer.alloc(1000, 0xff))
  },
  'ws-huge-interval': (socket, infoHash) =>
    socket.send(`{"action":"announce","info_hash":${JSON.stringify(infoHash)},"interval":1e308,"min interval":-1}`),
  'ws-too-long': (socket) => socket.send('x'.repeat(2_000_000)),
  'ws-hangs-up': (socket) => socket.terminate(),
  'ws-offers': (socket, infoHash) => {
    const unknown = Buffer.alloc(20, 0x7f).toString('latin1')
    for (const [index, offer] of brokenOffers.entries()) {
      const from = {
        action: 'announce',
        peer_id: `-XX0001-${String(index).padStart(12, '0')}`,
        offer_id: 'o'.repeat(20),
      }
      for (const hash of [infoHash, unknown]) socket.send(JSON.stringify({ ...from, info_hash: hash, offer }))
    }
    socket.send(JSON.stringify({ action: 'announce', info_hash: infoHash, answer: { type: 'answer', sdp: 'v=0' } }))
  },
}

let folder: string
let tracker: ScriptedTracker
let trap: ScriptedTracker
let seeder: Seeder
let population: Population

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-bad-trackers-'))
  trap = await ScriptedTracker.start({})
  elsewhere = trap.port
  tracker = await ScriptedTracker.start(http, sockets)
  const settings = { 'network.allowPrivate': true, 'swarm.trackers': Object.values(tracker.urls) }
  seeder = new Seeder('node', join(folder, 'node'), settings, { inspected: true })
  population = await populate(seeder.folder, { items, size: 16_384, published: true })
  await seeder.start()
  await seeder.ready()
})

afterEach(async () => {
  await seeder.stop()
  await tracker.close()
  await trap.close()
  await rm(folder, { recursive: true, force: true })
})

const names = [...Object.keys(http), ...Object.keys(sockets)]

/** Waits for trackers; the failure names those that it waited for. */
async function all(what: string, holds: (name: string) => boolean): Promise<void> {
  await until(
    () => {
      const others = names.filter((name) => !holds(name))
      if (others.length > 0) throw new Error(others.join(', '))
      return true
    },
    { within: 60_000, what: `every tracker ${what}` },
  )
}

async function publish(name: string): Promise<string> {
  return (await seeder.publish(name, new Uint8Array(Buffer.from(name)))).id
}

test.skipIf(lacks('libtorrent'))(
  `${names.length} trackers that answer nonsense, and answer rightly again`,
  async () => {
    onTestFailed(() => console.error(seeder.output()))
    const { pid } = seeder
    await all('knows the library', (name) => tracker.heard(name).size === items)
    const before = await footprint(seeder)

    tracker.right = false
    const asked = new Map(names.map((name) => [name, tracker.asked(name)]))
    for (let number = 0; number < 5; number++) await publish(`told to the mad ${number}`)
    await all('was asked again', (name) => tracker.asked(name) > (asked.get(name) ?? 0))
    const peer = await seeder.peerAddress()
    const target = join(folder, 'client')
    const options = { peer, folder: target, wanted: [1, 2, 3], parallel: 3, within: 30_000 }
    await (await LibtorrentBatch.start(population, options)).finished()
    expect(await seeder.get('/health')).toMatchObject({ status: 'healthy' })

    tracker.right = true
    const fresh = await publish('told to the sane')
    await all('hears what is new', (name) => tracker.heard(name).has(fresh))
    await backToLevel(seeder, before, allowed)
    expect(trap.asked('announce')).toBe(0)
    expect(seeder.isRunning && seeder.pid).toBe(pid)
    expect(await seeder.get('/health')).toMatchObject({ status: 'healthy' })
  },
)
