import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { kinds } from '../swarm/index.ts'
import { Counts } from './counts.ts'
import type { Asker } from './http-tracker.ts'
import { HttpTransport } from './http.ts'
import { Places } from './places.ts'

/** What waits for an answer that comes later. */
let waiting: Asker[]
/** Answers of 50,000 bytes that were given. */
let larges: number
let upgrades: { socket: Socket; rest: string; path: string }[]
let transport: HttpTransport
let port: number
const sockets: Socket[] = []

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  waiting = []
  larges = 0
  upgrades = []
  transport = new HttpTransport({
    tracker: {
      ask: (asker, path, search) => {
        if (path === '/later') waiting.push(asker)
        else if (path === '/announce') asker.reply(200, search)
        else if (path === '/large') {
          larges++
          asker.reply(200, 'x'.repeat(50_000))
        } else if (path === '/refused') asker.reply(429, search, true)
        else return false
        return true
      },
      callerOf: () => kinds.ipv4,
      refusalOf: () => '',
      placeOf: () => '127.0.0.1',
    },
    pages: {
      answer: (request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(parts).toString()}`))
      },
    },
    webSockets: {
      upgrade: (head, stream, rest) => {
        upgrades.push({ socket: stream as Socket, rest: rest.toString(), path: head.path })
        stream.end('upgraded')
      },
    },
    counts: new Counts(new Registry(), pino({ level: 'silent' })),
    places: new Places({ sockets: 100, socketsPerAddress: 100 }),
  })
  port = await transport.start('127.0.0.1', 0)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  transport.terminate()
  await transport.stop()
  vi.useRealTimers()
})

const get = (path: string, ...lines: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')

/** Collects what comes until it ends, or as much as is wanted. */
const open = async (): Promise<{
  socket: Socket
  ended: Promise<string>
  until: (text: string) => Promise<string>
}> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => socket.destroy())
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
  const until = async (wanted: string): Promise<string> => {
    while (!text.includes(wanted)) await once(socket, 'data')
    return text
  }
  return { socket, ended, until }
}

/** Bodies of answers in their order. */
const bodies = (text: string): string[] =>
  text
    .split(/(?=HTTP\/1\.1 )/)
    .filter((answer) => answer !== '')
    .map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4))

const pass = async (seconds: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(seconds * 1000)
}

describe('a connection', () => {
  it('is answered in order, however its requests are cut', async () => {
    const all =
      Array.from({ length: 20 }, (_, i) => get(`/announce?${i}`)).join('') + get('/announce?end', 'Connection: close')
    for (const size of [all.length, 1000, 7, 1]) {
      const { socket, ended } = await open()
      socket.setNoDelay(true)
      for (let at = 0; at < all.length; at += size) {
        socket.write(all.slice(at, at + size))
        if (size < 100) await new Promise(setImmediate)
      }
      const text = await ended
      expect(bodies(text)).toEqual([...Array.from({ length: 20 }, (_, i) => `${i}`), 'end'])
      expect(text.match(/content-length: /g)).toHaveLength(21)
      expect(text.match(/connection: close/g)).toHaveLength(1)
    }
  })

  it('waits for an answer that comes later, and what it asks meanwhile waits as well', async () => {
    const { socket, ended } = await open()
    socket.write(get('/announce?1') + get('/later') + get('/announce?2', 'Connection: close'))
    await vi.waitUntil(() => waiting.length === 1)
    socket.write(get('/announce?never'))
    waiting[0]?.reply(200, 'late')
    // Nobody waits any more.
    waiting[0]?.reply(200, 'twice')
    expect(bodies(await ended)).toEqual(['1', 'late', '2'])
  })

  it('gets its answer after it has sent its last byte, now or later', async () => {
    const [now, later] = [await open(), await open()]
    now.socket.end(get('/announce?1'))
    later.socket.end(get('/later'))
    expect(bodies(await now.ended)).toEqual(['1'])
    await vi.waitUntil(() => waiting.length === 1)
    waiting[0]?.reply(200, 'late')
    expect(bodies(await later.ended)).toEqual(['late'])
  })

  it('that is gone hears no answer, which harms nobody', async () => {
    const { socket } = await open()
    socket.end(get('/later'))
    await vi.waitUntil(() => waiting.length === 1)
    socket.destroy()
    const other = await open()
    other.socket.end(get('/announce?1'))
    expect(bodies(await other.ended)).toEqual(['1'])
    expect(() => waiting[0]?.reply(200, 'late')).not.toThrow()
  })

  it('of HTTP/1.0, and one that is refused, ends after its answer', async () => {
    const old = await open()
    old.socket.write(get('/announce?1').replace('1.1', '1.0'))
    expect(bodies(await old.ended)).toEqual(['1'])
    const refused = await open()
    refused.socket.write(get('/refused?no') + get('/announce?2'))
    const text = await refused.ended
    expect(text).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/)
    expect(bodies(text)).toEqual(['no'])
  })

  it('that reads nothing is read no further, and cut off after a while', async () => {
    const { socket } = await open()
    socket.pause()
    socket.write(get('/large').repeat(5000))
    const closed = new Promise((resolve) => socket.on('close', resolve))
    let before = -1
    while (larges > before) {
      before = larges
      for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    }
    // What the system's own buffers hold, and a little more.
    expect(larges).toBeLessThan(2500)
    await pass(32)
    socket.resume()
    await closed
    expect(larges).toBeLessThan(2500)
  })
})

describe('time', () => {
  it('is up 10 s after the first byte of a request, however many come since', async () => {
    const { socket, ended } = await open()
    const request = get('/announce?1')
    for (let i = 0; i < 12; i++) {
      socket.write(request[i] ?? '')
      await new Promise(setImmediate)
      await pass(1)
    }
    expect(await ended).toBe('')
  })

  it('is up for who says nothing at all', async () => {
    const { ended } = await open()
    await pass(12)
    expect(await ended).toBe('')
  })

  it('begins anew with each answer', async () => {
    const { socket, until, ended } = await open()
    for (let i = 0; i < 5; i++) {
      socket.write(get(`/announce?nr${i}`))
      await until(`nr${i}`)
      await pass(15)
    }
    await pass(30)
    expect(bodies(await ended)).toHaveLength(5)
  })
})

describe('what is no plain request for the tracker', () => {
  it.each([
    ['another path', get('/health', 'Connection: close'), 'GET /health '],
    [
      'another method',
      'POST /announce HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc',
      'POST /announce abc',
    ],
    [
      'a body in chunks',
      'PUT /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'PUT /x abc',
    ],
  ])('goes to node:http: %s, in whole or in pieces', async (_what, text, expected) => {
    for (const size of [text.length, 10, 1]) {
      const { socket, ended } = await open()
      socket.setNoDelay(true)
      for (let at = 0; at < text.length; at += size) {
        socket.write(text.slice(at, at + size))
        await new Promise(setImmediate)
      }
      expect(await ended).toContain(expected)
    }
  })

  it('takes its connection along, and answers stay in order', async () => {
    const { socket, ended } = await open()
    socket.write(
      get('/announce?1') +
        get('/health') +
        get('/announce?2') +
        get('/later') +
        get('/announce?3', 'Connection: close'),
    )
    await vi.waitUntil(() => waiting.length === 1)
    waiting[0]?.reply(200, 'late')
    const text = await ended
    for (const [before, after] of [
      ['1', 'GET /health'],
      ['GET /health', '2'],
      ['2', 'late'],
      ['late', '3'],
    ] as const)
      expect(text.indexOf(`\r\n${before}`)).toBeLessThan(text.lastIndexOf(after))
  })

  it.each([
    ['garbage', 'garbage\r\n\r\n', ' 400 '],
    ['a request that hides another one', get('/announce', 'Content-Length : 5'), ' 400 '],
    ['no host', get('/announce').replace('Host: x\r\n', ''), ' 400 '],
    ['a head without end', `GET /${'x'.repeat(20_000)}`, ' 431 '],
  ])('is refused by node:http: %s', async (_what, text, expected) => {
    const { socket, ended } = await open()
    socket.write(text)
    expect((await ended).slice(0, 20)).toContain(expected)
  })

  it('becomes a WebSocket with all that came behind the head, after answers or on the other way as well', async () => {
    const upgrade = get('/x/announce/3', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13')
    for (const before of ['', get('/announce?1'), get('/health')]) {
      const { socket, ended } = await open()
      socket.write(`${before}${upgrade}rest`)
      expect(await ended).toContain('upgraded')
      expect(upgrades.pop()).toMatchObject({ rest: 'rest', path: '/x/announce/3' })
    }
  })
})

it('stops at once for who waits for nothing, and after their answers for the others', async () => {
  const [idle, half, asked] = [await open(), await open(), await open()]
  idle.socket.write(get('/announce?1'))
  half.socket.write('GET /ann')
  asked.socket.write(get('/later'))
  await idle.until('\r\n\r\n1')
  await vi.waitUntil(() => waiting.length === 1)
  const stopped = transport.stop()
  await Promise.all([idle.ended, half.ended])
  waiting[0]?.reply(200, 'late')
  expect(bodies(await asked.ended)).toEqual(['late'])
  await stopped
})
