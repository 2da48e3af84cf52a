import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { HttpTracker } from './http.ts'
import { closeAll, code, hash, onClose, peerId } from './testbed.ts'

afterEach(closeAll)

const announcement = { infoHash: hash, event: 'started', uploaded: 0, downloaded: 0, left: 0 } as const
const answer = 'd8:intervali1800e5:peers0:e'

async function listen(server: Server): Promise<{ origin: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onClose(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets }
}

const serve = async (listener: RequestListener): Promise<{ origin: string; sockets: Set<Socket> }> =>
  listen(createServer(listener))

function connect(origin: string, timeout?: number): HttpTracker {
  const tracker = new HttpTracker(`${origin}/announce?key=1`, { peerId, port: () => 4321 }, Date.now, timeout)
  onClose(() => tracker.close())
  return tracker
}

test('a thousand announces take a few kept connections', async () => {
  let connections = 0
  const server = createServer((_request, response) => response.end(answer))
  server.on('connection', () => connections++)
  const tracker = connect((await listen(server)).origin)
  for (let turn = 0; turn < 100; turn++) await tracker.announce(announcement)
  expect(connections).toBeLessThan(5)
  await Promise.all(Array.from({ length: 1_000 }, () => tracker.announce(announcement)))
  expect(connections).toBeLessThanOrEqual(32)
})

test('says what BEP 3 asks for, keeps what the URL has, and repeats the tracker id it was given', async () => {
  const asked: string[] = []
  const { origin } = await serve((request, response) => {
    asked.push(request.url ?? '')
    response.end(asked.length === 1 ? 'd8:intervali900e12:min intervali300e10:tracker id3:a&b5:peers0:e' : answer)
  })
  const tracker = connect(origin)
  expect(await tracker.announce({ ...announcement, left: 5, uploaded: 2 ** 50 })).toEqual({
    interval: 900_000,
    minInterval: 300_000,
    warning: undefined,
    peers: [],
  })
  await tracker.announce({ ...announcement, event: 'update' })
  const [first = '', second = ''] = asked
  const id = `info_hash=${'%aa'.repeat(20)}&peer_id=%2d%58%58`
  expect(first).toMatch(new RegExp(`^/announce\\?key=1&${id}`))
  expect(first).toMatch(/&uploaded=1125899906842624&downloaded=0&left=5&numwant=50&event=started$/)
  expect(second).toMatch(/&left=0&numwant=0&trackerid=%61%26%62$/)
})

test('a warning, a refusal, and when to come again', async () => {
  const answers = [
    'd8:intervali900e15:warning message9:\u001b[31mold!5:peers0:e',
    'd14:failure reason7:unknowne',
    'd14:failure reason7:unknown8:retry ini10ee',
    'd14:failure reason7:unknown8:retry in5:nevere',
    'd14:failure reason7:unknown8:retry in4:-9e9e',
  ]
  const { origin } = await serve((_request, response) => {
    // Some trackers refuse with a status beside.
    response.statusCode = answers.length < 4 ? 400 : 200
    response.end(answers.shift())
  })
  const tracker = connect(origin)
  expect((await tracker.announce(announcement)).warning).toBe('\u001b[31mold!')
  for (const retryIn of [undefined, 600_000, Infinity, undefined]) {
    const refused = await tracker.announce(announcement).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TrackerRefusedError)
    expect((refused as TrackerRefusedError).retryIn).toBe(retryIn)
    expect((refused as TrackerRefusedError).message).toMatch(/refuses the announce: unknown$/)
  }
})

test('a tracker that has too much to do says when to come again', async () => {
  const { origin } = await serve((_request, response) => response.writeHead(503, { 'retry-after': '120' }).end('busy'))
  const failed = await connect(origin)
    .announce(announcement)
    .catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(TrackerFailedError)
  expect((failed as TrackerFailedError).retryAfter).toBe(120_000)
})

test('redirects are followed on the same server, some of them', async () => {
  const asked: string[] = []
  const { origin } = await serve((request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://x')
    asked.push(pathname)
    if (pathname === '/announce') response.writeHead(301, { location: `/b${search}` }).end('moved')
    else if (pathname === '/b') response.writeHead(307, { location: `http://${request.headers.host}/c${search}` }).end()
    else response.end(search.includes('info_hash') ? answer : 'nothing')
  })
  expect((await connect(origin).announce(announcement)).interval).toBe(1_800_000)
  expect(asked).toEqual(['/announce', '/b', '/c'])
})

test('redirects in a circle end, and those to another server, which sees nothing, are refused', async () => {
  let visited = 0
  const secret = await serve((_request, response) => {
    visited++
    response.end(answer)
  })
  let asked = 0
  const targets = ['/announce', secret.origin, secret.origin.replace('http:', 'https:'), '//localhost/', 'http://[', '']
  const { origin } = await serve((_request, response) => {
    asked++
    response.writeHead(302, { location: targets[0] ?? '' }).end()
  })
  const tracker = connect(origin)
  await expect(tracker.announce(announcement)).rejects.toThrow(/more than 3 times/)
  expect(asked).toBe(4)
  for (targets.shift(); targets.length > 1; targets.shift()) {
    await expect(tracker.announce(announcement)).rejects.toThrow(TrackerFailedError)
  }
  expect(visited).toBe(0)
})

const hostile: Record<string, (socket: Socket) => void> = {
  'accepts and never answers': () => {},
  'never ends its headers': (socket) => {
    const drip = setInterval(() => socket.write('x-more: and more\r\n'), 20)
    socket.once('close', () => clearInterval(drip))
    socket.write('HTTP/1.1 200 OK\r\n')
  },
  'sends its answer byte by byte': (socket) => {
    const drip = setInterval(() => socket.write('l'), 20)
    socket.once('close', () => clearInterval(drip))
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n')
  },
  'closes at once': (socket) => socket.destroy(),
  'closes in the middle': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nd8:interval'),
  'speaks something else': (socket) => socket.end('220 mail.example ESMTP\r\n'),
  'claims to send more than there is': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n'),
  'has endless headers': (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1_000_000)}\r\n\r\n`),
}

test.each(Object.entries(hostile))('a server that %s is a failed tracker, and holds nothing', async (_what, behave) => {
  const { origin, sockets } = await listen(
    createTcpServer((socket) => {
      socket.resume()
      socket.once('data', () => behave(socket))
    }),
  )
  const tracker = connect(origin, 300)
  const announced = Array.from({ length: 100 }, () => tracker.announce(announcement))
  for (const result of await Promise.allSettled(announced)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'tracker_failed' } })
  }
  tracker.close()
  await vi.waitFor(() => expect(sockets.size).toBe(0), 5_000)
})

test('an endless answer is cut off, and its bytes are not kept', async () => {
  let sent = 0
  const { origin } = await serve((_request, response) => {
    const block = Buffer.alloc(65_536, 'l')
    const more = (): void => {
      if (response.destroyed) return
      sent += block.length
      response.write(block, more)
    }
    more()
  })
  const tracker = connect(origin)
  for (let turn = 0; turn < 20; turn++) await expect(tracker.announce(announcement)).rejects.toThrow(/longer than/)
  expect(sent).toBeGreaterThan(20 * 256 * 1024)
  expect(sent).toBeLessThan(200_000_000)
})

test('whatever bytes a tracker sends, an announce ends with an answer or a named error', async () => {
  const good = Buffer.from(answer)
  const bodies = [
    ...Array.from({ length: 200 }, (_, length) => randomBytes(length)),
    ...Array.from({ length: 200 }, (_, index) => {
      const spoilt = Buffer.from(good)
      spoilt[index % good.length] = randomBytes(1)[0] ?? 0
      return spoilt
    }),
    ...['d8:intervali-1e5:peers0:e', 'd8:interval3:bige', 'd5:peersi5ee', 'd8:intervali999999999999999e5:peersle'].map(
      (text) => Buffer.from(text),
    ),
    Buffer.from('l'.repeat(100_000)),
  ]
  const { origin } = await serve((_request, response) => response.end(bodies.shift()))
  const tracker = connect(origin)
  while (bodies.length > 0) {
    const outcome = await tracker.announce(announcement).then(() => 'answered', code)
    expect(['answered', 'tracker_failed', 'tracker_refused']).toContain(outcome)
  }
})
