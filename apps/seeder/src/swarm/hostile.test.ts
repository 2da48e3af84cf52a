import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decode } from './metainfo/bencode.ts'
import { Workbench } from './testing/workbench.ts'
import type { MadeTorrent } from './testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(() => bench.close())

const protocol = Buffer.from('\u0013BitTorrent protocol', 'latin1')
const reserved = Buffer.from('0000000000100004', 'hex')

function handshake(infoHash: string): Buffer {
  return Buffer.concat([protocol, reserved, Buffer.from(infoHash, 'hex'), Buffer.from('-XX0001-abcdefghijkl')])
}

function message(kind: number, ...parts: (Buffer | number)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? uint32(part) : part)))
  return Buffer.concat([uint32(body.length + 1), Buffer.from([kind]), body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

function extended(id: number, payload: string | Buffer): Buffer {
  return message(20, Buffer.from([id]), Buffer.from(payload as string, 'latin1'))
}

const interested = message(2)
/** Extension ids the engine gives out, in its order. */
const [utMetadata, utPex, ltDontHave] = [1, 2, 3]
const extensions = 'd1:md11:ut_metadatai1e6:ut_pexi2e11:lt_donthavei3eee'

const attacks: Record<string, Buffer> = {
  'bytes that are no handshake': randomBytes(10_000),
  'a handshake for another protocol': Buffer.from('\u0013NotTorrent protocol'.padEnd(68, 'x')),
  'an encrypted handshake of zeros': Buffer.alloc(2_000),
  'a message of 2 GB': Buffer.concat([uint32(0x7fffffff), Buffer.alloc(70_000, 7)]),
  'a message of negative length': Buffer.concat([uint32(0xfffffff0), Buffer.alloc(70_000)]),
  'a message just above the limit': Buffer.concat([uint32(1024 * 1024 + 1), Buffer.alloc(1024)]),
  'short messages of every kind': Buffer.concat(Array.from({ length: 256 }, (_, kind) => message(kind))),
  'requests outside the torrent': Buffer.concat([
    message(6, -1, 0, 16_384),
    message(6, 9_999_999, 0, 16_384),
    message(6, 0, -16_384, 16_384),
    message(6, 0, 1_000_000_000, 16_384),
    message(6, 0, 16_000, 16_384),
  ]),
  'a request of no bytes': message(6, 0, 0, 0),
  'a request of a negative length': message(6, 0, 0, -1),
  'a request of 1 GiB': message(6, 0, 0, 1 << 30),
  'pieces nobody asked for': message(7, 0, 0, randomBytes(16_384)),
  'a bitfield of the wrong size': message(5, Buffer.alloc(100_000, 255)),
  'haves beyond every end': Buffer.concat([message(4, -1), message(4, 0x7fffffff), message(4, 500_000)]),
  'an extended handshake that is not bencoded': extended(0, 'hello'),
  'bencoding that runs backwards': extended(0, 'l-3:'),
  'bencoding nested ten thousand deep': extended(0, 'l'.repeat(10_000)),
  'an extended handshake with odd values': extended(0, 'd1:mi5e13:metadata_sizei-5ee'),
  'an extension named as a prototype': extended(0, 'd1:md9:__proto__i1e11:constructori2eee'),
  'huge metadata': extended(0, 'd1:md11:ut_metadatai1ee13:metadata_sizei999999999999ee'),
  'empty extended messages': Buffer.concat([extended(utMetadata, ''), extended(utPex, ''), extended(ltDontHave, '')]),
  'a metadata message without an end': extended(utMetadata, 'd8:msg_typei0e5:piece'),
  'a metadata message that runs backwards': extended(utMetadata, 'd1:\u00ff9:l-3:eeeeeee'),
  'metadata pieces nobody has': Buffer.concat([
    extended(0, extensions),
    extended(utMetadata, 'd8:msg_typei0e5:piecei999999ee'),
    extended(utMetadata, 'd8:msg_typei1e5:piecei999999ee'),
    extended(utMetadata, 'd8:msg_typei2e5:piecei0ee'),
  ]),
  'a withdrawn extension': Buffer.concat([
    extended(0, extensions),
    extended(0, 'd1:md11:ut_metadatai0eee'),
    extended(utMetadata, 'd8:msg_typei0e5:piecei0ee'),
  ]),
  'exchanged peers that are no addresses': extended(utPex, 'd5:added7:1234567ee'),
  'many exchanged peers': extended(utPex, Buffer.from(`d5:added600000:${'a'.repeat(600_000)}e`)),
}

async function send(port: number, bytes: Buffer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

/** The name of the item, as a second node fetches it. */
async function fetchedName(made: MadeTorrent, port: number): Promise<string> {
  const leecher = await bench.swarm()
  const fetched = await leecher.fetch(await bench.request(made, { peers: [`127.0.0.1:${port}`] }))
  return fetched.name
}

test.each(Object.entries(attacks))('a seeder survives %s', async (_what, bytes) => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const known = handshake(made.infoHash)
  const sockets = [
    await send(seeder.port, bytes),
    await send(seeder.port, Buffer.concat([known, bytes])),
    await send(seeder.port, Buffer.concat([known, extended(0, extensions), interested, bytes])),
  ]
  expect(await fetchedName(made, seeder.port)).toBe('one.bin')
  for (const socket of sockets) socket.destroy()
})

test.each(Object.entries(attacks))('a fetching node survives %s', async (_what, bytes) => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.resume()
    socket.write(Buffer.concat([handshake(made.infoHash), bytes]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench.onClose(() => new Promise((resolve) => server.close(resolve)))
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const hostile = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const request = await bench.request(made, { peers: [hostile, `127.0.0.1:${seeder.port}`] })
  expect((await leecher.fetch(request)).name).toBe('one.bin')
})

test('a peer that sends wrong bytes does not spoil the item', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 500_000]])
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write(Buffer.concat([handshake(made.infoHash), message(14), message(1)]))
    let waiting = Buffer.alloc(0)
    socket.on('data', (data) => {
      waiting = Buffer.concat([waiting, data])
      for (let at = waiting.indexOf('0000000d06', 0, 'hex'); at !== -1 && waiting.length >= at + 17;) {
        const [piece, offset, length] = [5, 9, 13].map((skip) => waiting.readUInt32BE(at + skip))
        socket.write(message(7, piece ?? 0, offset ?? 0, randomBytes(length ?? 0)))
        waiting = waiting.subarray(at + 17)
        at = waiting.indexOf('0000000d06', 0, 'hex')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench.onClose(() => new Promise((resolve) => server.close(resolve)))
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const peers = [`127.0.0.1:${(server.address() as AddressInfo).port}`, `127.0.0.1:${seeder.port}`]
  const request = await bench.request(made, { peers, metainfo: made.metainfo })
  const fetched = await leecher.fetch(request)
  expect(fetched.files).toEqual([{ path: 'one.bin', size: 500_000 }])
})

test('a peer that asks for everything and reads nothing costs little', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 4_000_000]])
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const socket = connect(seeder.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  await once(socket, 'connect')
  const before = process.memoryUsage().rss
  socket.write(Buffer.concat([handshake(made.infoHash), interested]))
  const asks = Buffer.concat(Array.from({ length: 200 }, (_, piece) => message(6, piece, 0, 16_384)))
  for (let round = 0; round < 100; round++) socket.write(asks)
  expect(await fetchedName(made, seeder.port)).toBe('one.bin')
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  expect(seeder.stats().uploaded).toBeLessThan(30 * 1024 * 1024)
  socket.destroy()
})

test('strict bencoding reads what is right and refuses what is not', () => {
  expect(decode(Buffer.from('d1:ai-5e1:bl3:abcee'))).toEqual(
    new Map<string, unknown>([
      ['a', -5],
      ['b', [new Uint8Array(Buffer.from('abc'))].map((bytes) => Buffer.from(bytes))],
    ]),
  )
  for (const wrong of [
    '',
    'i5',
    'ie',
    'i-e',
    'i1x2e',
    '5:abc',
    '-1:a',
    'l',
    'd',
    'd1:a',
    'di1ei2ee',
    'i1ei2e',
    'i99999999999999999e',
  ]) {
    expect(() => decode(Buffer.from(wrong)), wrong).toThrow(/bencoding/)
  }
})
