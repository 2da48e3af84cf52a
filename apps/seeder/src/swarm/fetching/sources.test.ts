import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Workbench, type MadeTorrent } from '../testing/workbench.ts'

const pieceLength = 65_536
const size = 40 * pieceLength
const blockBytes = 16_384

let bench: Workbench
let made: MadeTorrent
let content: Buffer

beforeEach(async () => {
  bench = await Workbench.open()
  made = await bench.torrent('one.bin', [['one.bin', size]], pieceLength)
  content = made.contents[0] ?? Buffer.alloc(0)
})

afterEach(() => bench.close())

const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

type Give = (block: { piece: number; offset: number; bytes: Buffer }, send: (bytes: Buffer) => void) => void

let peers = 0

/** A peer that says to have everything (BEP 6), and gives what it is asked for as `give` does. */
async function peer(give: Give): Promise<string> {
  const sockets = new Set<Socket>()
  const id = `-XX0001-${String(++peers).padStart(12, '0')}`
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.write(
      Buffer.concat([Buffer.from('\u0013BitTorrent protocol', 'latin1'), Buffer.from('0000000000100004', 'hex')]),
    )
    socket.write(Buffer.concat([Buffer.from(made.infoHash, 'hex'), Buffer.from(id)]))
    // Have all, unchoke.
    socket.write(Buffer.from('000000010e0000000101', 'hex'))
    let waiting = Buffer.alloc(0)
    let greeted = false
    socket.on('data', (data) => {
      waiting = Buffer.concat([waiting, data])
      if (!greeted) {
        const at = waiting.indexOf('BitTorrent protocol')
        if (at < 0 || waiting.length < at + 67) return
        waiting = waiting.subarray(at + 67)
        greeted = true
      }
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
        const message = waiting.subarray(4, 4 + waiting.readUInt32BE(0))
        waiting = waiting.subarray(4 + message.length)
        if (message[0] !== 6) continue
        const [piece, offset, length] = [message.readUInt32BE(1), message.readUInt32BE(5), message.readUInt32BE(9)]
        const at = piece * pieceLength + offset
        give({ piece, offset, bytes: content.subarray(at, at + length) }, (bytes) => {
          socket.write(
            Buffer.concat([uint32(9 + bytes.length), Buffer.from([7]), uint32(piece), uint32(offset), bytes]),
          )
        })
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  bench.onClose(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Waits a moment with each block, so that several peers have a part in each piece. */
const honest: Give = ({ bytes }, send) => void setTimeout(() => send(bytes), 5)
const poisonous: Give = ({ bytes }, send) => void setTimeout(() => send(Buffer.alloc(bytes.length, 1)), 5)

async function fetch(given: {
  peers: string[]
  webSeeds?: string[]
}): Promise<{ poisoned: string[]; received: number }> {
  const leecher = await bench.swarm()
  const poisoned: string[] = []
  let received = 0
  const request = await bench.request(made, {
    metainfo: made.metainfo,
    ...given,
    poisoned: (source) => poisoned.push(source),
    onProgress: (bytes) => (received = bytes),
  })
  await leecher.fetch(request)
  expect((await readFile(request.filePath(0))).equals(content)).toBe(true)
  return { poisoned, received }
}

test('a poisoned peer among good ones is found out and banned, and they are not', async () => {
  const bad = await peer(poisonous)
  const good = [await peer(honest), await peer(honest)]
  const { poisoned, received } = await fetch({ peers: [bad, ...good] })
  expect(poisoned).toEqual([bad])
  expect(received).toBeLessThan(2 * size)
})

test('one that spoils a block now and then is found out by it', async () => {
  let blocks = 0
  const bad = await peer(({ bytes }, send) => {
    const spoils = ++blocks % 7 === 0
    setTimeout(() => send(spoils ? Buffer.alloc(bytes.length, 1) : bytes), 5)
  })
  const { poisoned } = await fetch({ peers: [bad, await peer(honest), await peer(honest)] })
  expect(poisoned).toEqual([bad])
})

/** A web seed that answers so, and a good peer that gives nothing before it was asked. */
async function webSeedAndPeer(answer: RequestListener): Promise<{ webSeeds: string[]; peers: string[] }> {
  const asked = Promise.withResolvers<void>()
  const server = createHttpServer((request, response) => {
    asked.resolve()
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  bench.onClose(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const good = await peer((block, send) => void asked.promise.then(() => honest(block, send)))
  return { webSeeds: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`], peers: [good] }
}

test('a poisoned web seed is banned', async () => {
  const sources = await webSeedAndPeer((request, response) => {
    const [from, to] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).slice(1).map(Number)
    response.writeHead(206).end(Buffer.alloc((to ?? 0) - (from ?? 0) + 1, 1))
  })
  expect((await fetch(sources)).poisoned).toEqual(sources.webSeeds)
})

test('a peer that falls silent is passed over within seconds, and what it was asked for comes from another', async () => {
  let given = 0
  const silent = await peer(({ bytes }, send) => {
    if (++given < 4) send(bytes)
  })
  const start = performance.now()
  const { poisoned } = await fetch({ peers: [silent, await peer(honest)] })
  // The engine itself waits for half a minute.
  expect(performance.now() - start).toBeLessThan(15_000)
  expect(given).toBeGreaterThanOrEqual(4)
  expect(poisoned).toEqual([])
})

test('a web seed that falls silent is passed over, too', async () => {
  const sources = await webSeedAndPeer((_request, response) => {
    response.writeHead(206).write(Buffer.alloc(blockBytes))
  })
  const start = performance.now()
  expect((await fetch(sources)).poisoned).toEqual([])
  expect(performance.now() - start).toBeLessThan(20_000)
})
