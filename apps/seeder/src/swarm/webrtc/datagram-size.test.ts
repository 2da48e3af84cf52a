import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { Egress } from '../../egress/index.ts'
import type { Channel } from './channel.ts'
import { Connections } from './connections.ts'
import { mtuFor, ownMachineMtu } from './datagram-size.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const offer = (...hosts: string[]): string =>
  ['v=0', ...hosts.map((host) => `a=candidate:1 1 UDP 2122 ${host} 5000 typ host`), 'a=mid:0'].join('\r\n')

const own = new Set(['127.0.0.1', '192.168.0.7', 'fe80::1'])

test.each([
  [offer('192.168.0.7'), ownMachineMtu],
  [offer('127.0.0.1', '192.168.0.7', 'FE80::1'), ownMachineMtu],
  [offer('192.168.0.7', '192.168.0.8'), undefined],
  [offer('192.168.0.7', '4f3a.local'), undefined],
  [offer('4f3a.local'), undefined],
  [`${offer('192.168.0.7')}\r\na=candidate: malformed`, undefined],
  [offer(), undefined],
  ['nonsense', undefined],
])('datagrams may be large for a peer of this machine alone: %j', (sdp, mtu) => {
  expect(mtuFor(sdp, own)).toBe(mtu)
})

test.each([
  { what: 'all that DTLS takes', hide: (sdp: string) => sdp, longest: [1_990, 2_048] },
  {
    what: 'safe on any path',
    hide: (sdp: string) => `${sdp}a=candidate:9 1 UDP 1 4f3a.local 9 typ host\r\n`,
    longest: [1_170, 1_232],
  },
])('a real channel sends datagrams that are $what', { timeout: 30_000 }, async ({ hide, longest }) => {
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
  ends.answerer?.write(Buffer.alloc(500_000, 7))
  await vi.waitFor(() => expect(received).toBe(500_000), 10_000)
  const [least = 0, most = 0] = longest
  expect(wire.longest).toBeGreaterThan(least)
  expect(wire.longest).toBeLessThanOrEqual(most)
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

/** Passes datagrams on between a port and whoever sends to this one, and tells the length of the longest of theirs. */
class Wire {
  readonly to: number
  readonly port: number
  longest = 0

  constructor(near: Socket, far: Socket, to: number) {
    this.to = to
    this.port = near.address().port
    let sender: AddressInfo | undefined
    near.on('message', (datagram, { address, port, family }) => {
      sender = { address, port, family }
      this.longest = Math.max(this.longest, datagram.length)
      far.send(datagram, to, '127.0.0.1')
    })
    far.on('message', (datagram) => sender && near.send(datagram, sender.port, sender.address))
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
