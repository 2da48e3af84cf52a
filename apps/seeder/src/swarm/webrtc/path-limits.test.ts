import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { Egress } from '../../egress/index.ts'
import type { Channel } from './channel.ts'
import { Connections } from './connections.ts'
import { limitsFor, ownMachine } from './path-limits.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const offer = (...hosts: string[]): string =>
  ['v=0', ...hosts.map((host) => `a=candidate:1 1 UDP 2122 ${host} 5000 typ host`), 'a=mid:0'].join('\r\n')

const anywhere = { flight: 262_144 }
const own = new Set(['127.0.0.1', '192.168.0.7', 'fe80::1'])

test.each([
  [offer('192.168.0.7'), ownMachine],
  [offer('127.0.0.1', '192.168.0.7', 'FE80::1'), ownMachine],
  [offer('192.168.0.7', '192.168.0.8'), anywhere],
  [offer('192.168.0.7', '4f3a.local'), anywhere],
  [offer('4f3a.local'), anywhere],
  [`${offer('192.168.0.7')}\r\na=candidate: malformed`, anywhere],
  [offer(), anywhere],
  ['nonsense', anywhere],
])('only the way to a peer of this machine is known: %j', (sdp, limits) => {
  expect(limitsFor(sdp, own)).toEqual(limits)
})

test.each([
  {
    what: 'all that DTLS takes, few at once',
    hide: (sdp: string) => sdp,
    longest: [1_990, 2_048],
    held: [30_000, 50_000],
  },
  {
    what: 'safe on any path, as many as fill it',
    hide: (sdp: string) => `${sdp}a=candidate:9 1 UDP 1 4f3a.local 9 typ host\r\n`,
    longest: [1_170, 1_232],
    held: [100_000, 300_000],
  },
])('a real channel sends datagrams that are $what', { timeout: 50_000 }, async ({ hide, longest, held }) => {
  const [a, b] = [connections(), connections()]
  const ends: { offerer?: Channel; answerer?: Channel } = {}
  const made = await a.offer((channel) => (ends.offerer = channel))
  if (made === undefined) throw new Error('there was no place for an offer')
  const wire = await Wire.to(portOf(made.sdp))
  const from = { peerId: 'aa', tracker: '' }
  const detour = hide(made.sdp.replaceAll(` ${wire.to} typ host`, ` ${wire.port} typ host`))
  const answering = b.answer(detour, from, (channel) => (ends.answerer = channel))
  const answer = (await answering?.sdp) ?? ''
  made.accept(answer.replaceAll(/^a=candidate:.*\r?\n/gm, ''), 'bb')
  await vi.waitFor(() => expect(Object.keys(ends)).toHaveLength(2), 20_000)
  let received = 0
  ends.offerer?.on('data', (bytes: Uint8Array) => (received += bytes.length))
  const size = 3_000_000
  ends.answerer?.write(Buffer.alloc(size, 7))
  await vi.waitFor(() => expect(received).toBe(size), 20_000)
  for (const [seen, [least = 0, most = 0]] of [
    [wire.longest, longest],
    [wire.mostHeld, held],
  ] as const) {
    expect(seen).toBeGreaterThan(least)
    expect(seen).toBeLessThanOrEqual(most)
  }
})

function connections(): Connections {
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  const limits = { maxConnections: 4, maxNegotiating: 4 }
  const made = new Connections({ egress, host: '127.0.0.1', iceServers: [], now: () => performance.now(), ...limits })
  closers.push(() => made.close())
  return made
}

function portOf(sdp: string): number {
  return Number(/^a=candidate:\S+ \d+ UDP \d+ \S+ (\d+) typ host/im.exec(sdp)?.[1])
}

/** Milliseconds that each datagram takes over a `Wire`. */
const delay = 30

/** Passes datagrams on between a port and whoever sends to this one, with some delay. */
class Wire {
  readonly to: number
  readonly port: number
  /** Bytes of the longest datagram, and of all that were under way at once. */
  longest = 0
  mostHeld = 0

  constructor(near: Socket, far: Socket, to: number) {
    this.to = to
    this.port = near.address().port
    let sender: AddressInfo | undefined
    let held = 0
    let isClosed = false
    near.on('message', (datagram, { address, port, family }) => {
      sender = { address, port, family }
      this.longest = Math.max(this.longest, datagram.length)
      held += datagram.length
      this.mostHeld = Math.max(this.mostHeld, held)
      setTimeout(() => {
        held -= datagram.length
        if (!isClosed) far.send(datagram, to, '127.0.0.1')
      }, delay)
    })
    far.on('message', (datagram) => sender && near.send(datagram, sender.port, sender.address))
    near.on('close', () => (isClosed = true))
  }

  static async to(port: number): Promise<Wire> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const
    for (const socket of sockets) {
      closers.push(() => socket.close())
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
    }
    return new Wire(...sockets, port)
  }
}
