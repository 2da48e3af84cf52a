import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { announce, closeAll, hash, onClose, peerId } from './testbed.ts'

afterEach(closeAll)

interface Said {
  info_hash: string
  event?: string
  numwant: number
  offers: unknown[]
  left: number
  answer?: unknown
}

async function webSocketTracker(
  port = 0,
): Promise<{ url: string; sockets: WebSocket[]; said: Said[]; server: WebSocketServer }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port })
  const sockets: WebSocket[] = []
  const said: Said[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Said
      said.push(message)
      if (message.answer === undefined && message.event !== 'stopped') {
        socket.send(JSON.stringify({ action: 'announce', interval: 120, info_hash: message.info_hash, complete: 1 }))
      }
    })
  })
  await once(server, 'listening')
  onClose(() => {
    for (const socket of server.clients) socket.terminate()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, said, server }
}

test('a thousand torrents share one WebSocket, and those held whole make no offers', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const { announcer } = announce([url])
  for (let index = 0; index < 1_000; index++) announcer.add(index.toString(16).padStart(40, '0'))
  await vi.waitFor(() => expect(said).toHaveLength(1_000), 10_000)
  expect(sockets).toHaveLength(1)
  expect(said.every(({ numwant, offers, event }) => numwant === 0 && offers.length === 0 && event === 'started')).toBe(
    true,
  )
})

test('offers of others are answered, and nothing else that a WebSocket tracker sends does harm', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const answered: string[] = []
  const { announcer } = announce([url], {
    signalling: {
      offers: () => Promise.resolve([]),
      answer: (infoHash, sdp, from) => {
        answered.push(`${infoHash} ${from.peerId} ${sdp}`)
        return sdp === 'bad' ? Promise.reject(new Error('malformed')) : Promise.resolve('our answer')
      },
    },
  })
  announcer.add(hash)
  await vi.waitFor(() => expect(said).toHaveLength(1))
  const info_hash = Buffer.from(hash, 'hex').toString('latin1')
  const own = Buffer.from(peerId, 'hex').toString('latin1')
  const from = { action: 'announce', info_hash, peer_id: 'bbbbbbbbbbbbbbbbbbbb', offer_id: 'o'.repeat(20) }
  const messages: unknown[] = [
    null,
    5,
    [],
    'x',
    {},
    { action: 'announce' },
    { action: 'announce', info_hash: 5 },
    { ...from, offer: 5 },
    { ...from, offer: null },
    { ...from, offer: { type: 'offer', sdp: 5 } },
    { ...from, peer_id: 'short', offer: { type: 'offer', sdp: 'short' } },
    { ...from, peer_id: own, offer: { type: 'offer', sdp: 'own' } },
    { ...from, answer: { type: 'answer', sdp: 'to nothing' } },
    { ...from, offer: { type: 'offer', sdp: 'bad' } },
    { ...from, offer: { type: 'offer', sdp: 'good' } },
  ]
  sockets[0]?.send('{ no json')
  sockets[0]?.send(Buffer.from([0, 255, 1]))
  for (const message of messages) sockets[0]?.send(JSON.stringify(message))
  await vi.waitFor(() => expect(said).toHaveLength(2))
  const remote = Buffer.from('bbbbbbbbbbbbbbbbbbbb').toString('hex')
  expect(answered).toEqual([`${hash} ${remote} bad`, `${hash} ${remote} good`])
  expect(said[1]).toMatchObject({
    to_peer_id: 'bbbbbbbbbbbbbbbbbbbb',
    offer_id: 'o'.repeat(20),
    answer: { type: 'answer', sdp: 'our answer' },
  })
})

test('everything is announced anew once a WebSocket tracker that went away is back', async () => {
  const first = await webSocketTracker()
  const { announcer } = announce([first.url])
  announcer.add(hash)
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(first.said).toHaveLength(2))
  const { port } = first.server.address() as AddressInfo
  first.server.close()
  for (const socket of first.sockets) socket.terminate()
  const second = await webSocketTracker(port)
  await vi.waitFor(() => expect(second.said).toHaveLength(2), 5_000)
  expect(second.said.map(({ event }) => event)).toEqual(['started', 'started'])
})

test('a message of a megabyte ends the connection to a WebSocket tracker, not the node', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const { announcer } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(said).toHaveLength(1))
  sockets[0]?.send('x'.repeat(1_000_000))
  await vi.waitFor(() => expect(said).toHaveLength(2), 5_000)
  expect(sockets).toHaveLength(2)
})

test('offers go along while something is wanted, and an answer goes to the offer it is for', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const accepted: string[] = []
  const { announcer } = announce([url], {
    progress: () => ({ uploaded: 0, downloaded: 0, left: 7 }),
    signalling: {
      answer: () => Promise.resolve(null),
      offers: () =>
        Promise.resolve(
          ['one', 'two'].map((sdp) => ({
            sdp,
            accept: (answer: string, remote: string) => accepted.push(`${sdp} ${answer} ${remote}`),
            close: () => {},
          })),
        ),
    },
  })
  announcer.add(hash)
  await vi.waitFor(() => expect(said).toHaveLength(1))
  expect(said[0]).toMatchObject({ left: 7, numwant: 2, offers: [{ offer: { type: 'offer', sdp: 'one' } }, {}] })
  const { offer_id } = (said[0]?.offers[1] ?? {}) as { offer_id: string }
  const answer = { action: 'announce', info_hash: said[0]?.info_hash, peer_id: 'b'.repeat(20), offer_id }
  for (let time = 0; time < 2; time++) {
    sockets[0]?.send(JSON.stringify({ ...answer, answer: { type: 'answer', sdp: 'yes' } }))
  }
  await vi.waitFor(() => expect(accepted).toEqual([`two yes ${'62'.repeat(20)}`]))
  announcer.signal(hash)
  await vi.waitFor(() => expect(said).toHaveLength(2))
  expect(said[1]?.event).toBeUndefined()
})

test('a torrent that is removed is stopped, and a tracker is told no farewells when this node closes', async () => {
  const { url, said } = await webSocketTracker()
  const { announcer } = announce([url])
  announcer.add(hash)
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(said).toHaveLength(2))
  announcer.remove(hash)
  await vi.waitFor(() => expect(said).toHaveLength(3))
  expect(said[2]).toMatchObject({ event: 'stopped', info_hash: said[0]?.info_hash, numwant: 0 })
  await announcer.close()
  expect(said).toHaveLength(3)
})

test('what a tracker warns of is logged once, a bounded number of times and without control characters', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const logged: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
  const { announcer } = announce([url], { logger })
  announcer.add(hash)
  await vi.waitFor(() => expect(said).toHaveLength(1))
  const refusal = { action: 'announce', 'failure reason': 'too many\u001b[2J sockets' }
  for (let time = 0; time < 3; time++) sockets[0]?.send(JSON.stringify(refusal))
  await vi.waitFor(() => expect(logged).toHaveLength(1))
  expect(logged[0]).toContain('too many [2J sockets')
  for (let time = 0; time < 100; time++) {
    sockets[0]?.send(JSON.stringify({ ...refusal, 'failure reason': `${time} ${'x'.repeat(10_000)}` }))
  }
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(said).toHaveLength(2))
  await vi.waitFor(() => expect(logged).toHaveLength(20), 5_000)
  announcer.add('cc'.repeat(20))
  await vi.waitFor(() => expect(said).toHaveLength(3))
  expect(logged).toHaveLength(20)
  expect(Math.max(...logged.map((line) => line.length))).toBeLessThan(600)
})

test('answers with nonsense where numbers belong are answers, and a refusal is one too', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const heard: string[] = []
  const answers: unknown[] = [
    { interval: 'soon', 'min interval': [], 'tracker id': 5, 'warning message': {} },
    { interval: -1, 'min interval': 1e300 },
    { interval: 1e308 },
    { 'failure reason': 'unregistered', 'retry in': {} },
    { 'failure reason': 5 },
  ]
  server.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => {
      const { info_hash } = JSON.parse(data.toString()) as Said
      heard.push(info_hash)
      socket.send(JSON.stringify({ action: 'announce', info_hash, ...(answers[heard.length - 1] as object) }))
    }),
  )
  await once(server, 'listening')
  onClose(() => {
    for (const socket of server.clients) socket.terminate()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const logged: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
  const { announcer } = announce([`ws://127.0.0.1:${(server.address() as AddressInfo).port}`], { logger })
  for (let item = 0; item < 5; item++) announcer.add(item.toString().repeat(40))
  await vi.waitFor(() => expect(heard).toHaveLength(5))
  announcer.add('aa'.repeat(20))
  await vi.waitFor(() => expect(heard).toHaveLength(6))
  expect(new Set(heard).size).toBe(6)
  expect(logged).toEqual([])
})

test('a hundred megabytes from a tracker leave nothing behind, in one message or in many', async () => {
  const { url, sockets, said } = await webSocketTracker()
  const { announcer } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(said).toHaveLength(1))
  const before = process.memoryUsage().rss
  const junk = JSON.stringify({ action: 'announce', info_hash: 'x'.repeat(20), padding: 'y'.repeat(200_000) })
  for (let sent = 0; sent < 500; sent++) {
    await new Promise((resolve) => sockets[0]?.send(junk, resolve))
  }
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(said).toHaveLength(2))
  sockets[0]?.send(Buffer.alloc(100_000_000))
  await vi.waitFor(() => expect(said.length).toBeGreaterThan(3), 10_000)
  expect(sockets).toHaveLength(2)
  // The message of the other side is in this process, too.
  expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000)
})

type Behaviour = (socket: Socket) => void
const silent: [string, number, Behaviour][] = [
  ['says nothing', 1, () => {}],
  ['closes at once', 3, (socket) => socket.destroy()],
  ['speaks HTTP only', 3, (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')],
  ['redirects', 3, (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:1/\r\n\r\n')],
  ['speaks nonsense', 3, (socket) => socket.end('\0\0\0\0')],
]

test.each(silent)('a server that %s where a WebSocket should be', async (_what, tries, behave) => {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    behave(socket)
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onClose(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { announcer } = announce([`ws://127.0.0.1:${(server.address() as AddressInfo).port}`])
  for (let item = 10; item < 60; item++) announcer.add(item.toString().repeat(20))
  // It is tried again with one connection at a time, never one for each torrent.
  await vi.waitFor(() => expect(connections).toBe(tries), 10_000)
  expect(sockets.size).toBeLessThan(2)
  await announcer.close()
  await vi.waitFor(() => expect(sockets.size).toBe(0), 5_000)
})
