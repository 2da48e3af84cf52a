import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Access, GuardedSwarms } from '../access/index.ts'
import { rangesOf } from '../config.ts'
import { Signalling } from '../signalling/index.ts'
import { Swarms } from '../swarm/index.ts'
import { Counts } from './counts.ts'
import { HttpPages } from './http-pages.ts'
import { HttpTracker } from './http-tracker.ts'
import { HttpTransport } from './http.ts'
import { Manners } from './manners.ts'
import { Places } from './places.ts'
import { WebSocketTransport } from './websocket.ts'

const proxy = '127.0.0.9'

let limits: { sockets: number; socketsPerAddress: number; requestsPerAddress: number }
let transport: HttpTransport
let webSockets: WebSocketTransport
let places: Places
let port: number
let now: number
/** Times that the figures were put together. */
let built: number
const sockets: Socket[] = []

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  now = 0
  built = 0
  limits = { sockets: 100, socketsPerAddress: 100, requestsPerAddress: 1000 }
  const all = Object.assign(limits, {
    swarms: 10,
    peers: 100,
    peersPerSwarm: 100,
    swarmsPerSocket: 10,
    swarmsPerMember: 10,
    banSeconds: 600,
    messagesPerSocket: 5,
  })
  const { random } = Math
  const isMember = (): boolean => false
  const swarms = new Swarms({
    limits: all,
    isMember,
    mayOpen: () => true,
    ttl: { address: 100, socket: 100 },
    now: () => now,
    random,
    secret: random,
  })
  const manners = new Manners({ limits: all, isMember, now: () => now, clock: () => now, random })
  const { gate } = new Access({ mode: 'open', hasLedger: false, swarms, onBan: () => undefined, random })
  const entrance = new GuardedSwarms(swarms, gate)
  const counts = new Counts(new Registry(), pino({ level: 'silent' }))
  const onStray = (): void => undefined
  const signalling = new Signalling({ swarms, entrance, limits: all, interval: 60, random, secret: random, onStray })
  places = new Places(limits)
  webSockets = new WebSocketTransport({ signalling, gate, counts, manners, places, isMember, limits: all, random })
  const figures = {
    contentType: 'text/plain',
    metrics: async () => {
      await new Promise(setImmediate)
      return `built ${++built}\n${'x'.repeat(20_000)}`
    },
  }
  transport = new HttpTransport({
    tracker: new HttpTracker({
      swarms,
      gate,
      entrance,
      counts,
      manners,
      trusted: rangesOf([proxy]),
      intervals: { interval: 60, minInterval: 30 },
      trackerId: 'x',
    }),
    pages: new HttpPages(
      figures,
      { answer: () => false, health: async () => await Promise.resolve([]) },
      counts,
      () => now,
    ),
    webSockets,
    counts,
    places,
  })
  port = await transport.start('127.0.0.1', 0)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  const left = webSockets.stop()
  webSockets.terminate()
  transport.terminate()
  await Promise.all([left, transport.stop()])
  vi.useRealTimers()
})

const get = (path: string, ...lines: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
const announce = `/announce?info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1`
const upgrade = (...lines: string[]): string =>
  get(
    '/',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
    ...lines,
  )

class Client {
  readonly socket: Socket
  text = ''
  /** Resolves to all that came. */
  readonly ended: Promise<string>

  constructor(localAddress: string) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    sockets.push(this.socket)
    this.socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')))
    this.socket.on('error', () => this.socket.destroy())
    this.ended = new Promise((resolve) => {
      this.socket.on('end', () => resolve(this.text))
      this.socket.on('close', () => resolve(this.text))
    })
  }

  static async open(address = '127.0.0.1'): Promise<Client> {
    const client = new Client(address)
    await once(client.socket, 'connect')
    return client
  }

  /** Sends, and waits for what is to come. */
  async ask(text: string, wanted: string): Promise<void> {
    this.socket.write(text)
    while (!this.text.includes(wanted)) {
      if (this.socket.readableEnded || this.socket.destroyed) throw new Error(`ended after ${this.text}`)
      await Promise.race([once(this.socket, 'data'), this.ended])
    }
  }
}

/** Asks once on a connection of its own, which the tracker closes. */
const asked = async (text: string, address?: string): Promise<string> => {
  const client = await Client.open(address)
  client.socket.write(text)
  return await client.ended
}

const pass = async (seconds: number): Promise<void> => {
  now += seconds * 1000
  await vi.advanceTimersByTimeAsync(seconds * 1000)
}

describe('places', () => {
  it('are so many for one address, whatever it does with them, and are free again when it leaves', async () => {
    limits.socketsPerAddress = 3
    const [silent, page, talker] = [await Client.open(), await Client.open(), await Client.open()]
    await page.ask(get('/health'), 'ok')
    await talker.ask(upgrade(), ' 101 ')
    expect(await asked(get(announce))).toBe('')
    await (await Client.open('127.0.0.2')).ask(get(announce), 'interval')
    for (const client of [silent, page, talker]) {
      client.socket.destroy()
      // The tracker hears of it soon.
      await vi.waitUntil(async () => (await asked(get(announce, 'Connection: close'))) !== '')
      const [next] = [await Client.open()]
      await next.ask(get(announce), 'interval')
      expect(await asked(get(announce))).toBe('')
    }
  })

  it('of those who say nothing are given to newcomers, of those who were heard last', async () => {
    limits.sockets = 4
    const idle: Client[] = []
    for (let i = 0; i < 4; i++) {
      idle.push(await Client.open())
      await pass(1)
    }
    await idle[0]?.ask(get(announce), 'interval')
    const page = await Client.open('127.0.0.2')
    await page.ask(get('/health'), 'ok')
    // The first was heard since; it goes after the two others.
    expect(await idle[1]?.ended).toBe('')
    for (const next of [2, 3]) {
      const newcomer = await Client.open('127.0.0.2')
      await newcomer.ask(upgrade(), ' 101 ')
      expect(await idle[next]?.ended).toBe('')
    }
    for (const next of [idle[0], page]) {
      await (await Client.open('127.0.0.2')).ask(upgrade(), ' 101 ')
      await next?.ended
    }
    // All have WebSockets now, and those stay.
    expect(await asked(get(announce), '127.0.0.3')).toBe('')
    expect(webSockets.sockets).toBe(4)
  })

  it('behind a trusted proxy are counted by who is forwarded', async () => {
    limits.socketsPerAddress = 2
    const clients: Client[] = []
    for (let i = 0; i < 8; i++) clients.push(await Client.open(proxy))
    const statuses: string[] = []
    for (const [i, client] of clients.entries()) {
      await client.ask(upgrade(`X-Forwarded-For: 9.9.9.${i < 3 ? 1 : i}`), 'HTTP/1.1 ')
      statuses.push(client.text.slice(9, 12))
    }
    expect(statuses).toEqual(['101', '101', '429', '101', '101', '101', '101', '101'])
  })
})

describe('an upgrade that is refused', () => {
  it.each([
    ['an address that is none', upgrade('X-Forwarded-For: abc'), ' 400 '],
    ['an address that is none, behind a page', get('/health') + upgrade('X-Forwarded-For: abc'), ' 400 '],
    ['no key', upgrade().replace('AAAA', ''), ' 400 '],
    ['two hosts', upgrade('Host: y'), ' 400 '],
  ])('is hung up on, though the client does not hang up: %s', async (_what, text, expected) => {
    const client = await Client.open(proxy)
    client.socket.write(text)
    expect(await client.ended).toContain(expected)
    // What is sent to a connection that is closed is answered by a reset.
    await vi.waitUntil(() => {
      if (!client.socket.destroyed) client.socket.write('x')
      return client.socket.destroyed
    })
    limits.sockets = 1
    expect(places.isFull).toBe(false)
  })
})

describe('pages', () => {
  it('are put together once a second, and leave in order', async () => {
    const client = await Client.open()
    await client.ask(get('/metrics').repeat(99) + get('/health', 'Connection: close'), 'ok\n')
    expect(client.text.match(/built 1\n/g)).toHaveLength(99)
    now = 1000
    expect(await asked(get('/metrics', 'Connection: close'))).toContain('built 2\n')
  })

  it('are not put together thousands of times for who asks thousands of times', async () => {
    await asked(get('/metrics').repeat(2000))
    expect(built).toBeLessThan(3)
    await (await Client.open()).ask(get(announce), 'interval')
  })

  it('draw 429 beyond the rate of their address', async () => {
    limits.requestsPerAddress = 1
    const client = await Client.open()
    client.socket.write(get('/health').repeat(20))
    const text = await client.ended
    expect(text.match(/ 200 OK/g)).toHaveLength(10)
    expect(text.match(/ 429 Too Many Requests/g)).toHaveLength(1)
    await (await Client.open('127.0.0.2')).ask(get('/health'), 'ok')
  })
})

it.each([
  ['POST / HTTP/1.1\r\nHost: x\r\nX-a: ', 12],
  [`${get('/health')}GET /health HTTP/1.1\r\nX-a: `, 22],
] as const)('a head that comes too slowly is cut off on the way of node:http as well: %j', async (begun, seconds) => {
  const client = await Client.open()
  client.socket.write(begun)
  if (begun.startsWith('GET')) await client.ask('', 'ok')
  for (let i = 0; i < seconds; i++) {
    if (!client.socket.destroyed) client.socket.write('a')
    await new Promise(setImmediate)
    await pass(1)
  }
  expect((await client.ended).endsWith(begun.startsWith('GET') ? 'ok\n' : '')).toBe(true)
})

describe('as RFC 9112 wants it', () => {
  it.each([
    ['the absolute form of a target', get(`http://x${announce}`, 'Connection: close'), ' 200 ', 'interval'],
    ['the absolute form of a page', get('HTTP://x:80/health', 'Connection: close'), ' 200 ', 'ok\n'],
    ['the absolute form without a path', get('http://x', 'Connection: close'), ' 404 ', 'tracker'],
    ['two hosts', get(announce, 'Host: y'), ' 400 ', 'Host'],
    ['another protocol to go on with', get('/health', 'Connection: upgrade, close', 'Upgrade: h2c'), ' 200 ', 'ok\n'],
    ['a door that is not there', 'POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', ' 404 ', 'tracker'],
    ['a page that is only read', 'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', ' 405 ', 'GET'],
  ])('%s', async (_what, text, status, body) => {
    const answer = await asked(text)
    expect(answer.slice(0, 20)).toContain(status)
    expect(answer).toContain(body)
  })
})
