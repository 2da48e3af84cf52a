import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { announce, closeAll, hash, onClose } from './testbed.ts'

afterEach(closeAll)

async function httpTracker(listener: RequestListener, port = 0): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onClose(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`
}

const bencoded = (peers: string): Buffer => Buffer.from(`d8:intervali1800e5:peers${peers}e`, 'latin1')
const compact = bencoded('12:\u0001\u0002\u0003\u0004\u0000\u0050\u0005\u0006\u0007\u0008\u001a\u00e1')
const compactFound = ['1.2.3.4:80', '5.6.7.8:6881']

test('announces by HTTP, and says farewell', async () => {
  const urls: URL[] = []
  const url = await httpTracker((request, response) => {
    urls.push(new URL(request.url ?? '', 'http://x'))
    response.end(compact)
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(found).toEqual(compactFound))
  await announcer.close()
  expect(urls.map((asked) => asked.searchParams.get('event'))).toEqual(['started', 'stopped'])
  expect(urls[0]?.search).toContain(`info_hash=${'%aa'.repeat(20)}`)
  expect(Object.fromEntries(urls[0]?.searchParams ?? [])).toMatchObject({ port: '4321', left: '0', compact: '1' })
})

test('farewells to a tracker that hears and says nothing take 3 s at most', async () => {
  const heard: (string | null)[] = []
  const url = await httpTracker((request, response) => {
    const event = new URL(request.url ?? '', 'http://x').searchParams.get('event')
    heard.push(event)
    if (event !== 'stopped') response.end(compact)
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(found).toEqual(compactFound))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const closed = announcer.close()
    await vi.advanceTimersByTimeAsync(3_000)
    await closed
  } finally {
    vi.useRealTimers()
  }
  await vi.waitFor(() => expect(heard).toEqual(['started', 'stopped']))
})

test.each([
  ['a list of dictionaries', 'ld2:ip7:1.2.3.44:porti80eed2:ip3:::14:porti81eee', ['1.2.3.4:80', '[::1]:81']],
  ['names instead of addresses', 'ld2:ip11:example.org4:porti80eee', []],
  ['peers cut short', '7:\u0001\u0002\u0003\u0004\u0000\u0050\u0009', ['1.2.3.4:80']],
])('takes peers as %s', async (_what, peers, expected) => {
  let answered = 0
  const url = await httpTracker((_request, response) => {
    answered++
    response.end(bencoded(peers))
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(answered).toBe(1))
  await vi.waitFor(() => expect(found).toEqual(expected))
})

const nonsense: Record<string, RequestListener> = {
  'an error': (_request, response) => response.writeHead(500).end(),
  'a web page': (_request, response) => response.end('<html>'),
  nothing: (request) => request.socket.destroy(),
  'bencoding that runs backwards': (_request, response) => response.end('d5:peersl-3:ee'),
  'more than it may': (_request, response) => response.end(Buffer.alloc(1_000_000, 'l')),
}

test.each(Object.entries(nonsense))('asks again after an HTTP tracker answered with %s', async (_what, listener) => {
  let asked = 0
  const url = await httpTracker((request, response) => {
    asked++
    if (asked === 1) listener(request, response)
    else response.end(compact)
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(found).toEqual(compactFound), 5_000)
})

test('a tracker that is down is found when it comes', async () => {
  const port = await freePort()
  const { announcer, found } = announce([`http://127.0.0.1:${port}/announce`])
  announcer.add(hash)
  await new Promise((resolve) => setImmediate(resolve))
  await httpTracker((_request, response) => response.end(compact), port)
  await vi.waitFor(() => expect(found).toEqual(compactFound), 5_000)
})

test('a refusal is no failure of the tracker', async () => {
  const asked: string[] = []
  const url = await httpTracker((request, response) => {
    const { search } = new URL(request.url ?? '', 'http://x')
    asked.push(search.includes('%bb') ? 'other' : 'refused')
    response.end(search.includes('%bb') ? compact : 'd14:failure reason7:unknowne')
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(asked).toEqual(['refused']))
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(found).toEqual(compactFound))
  expect(asked).toEqual(['refused', 'other'])
})

/** Answers as BEP 15 says, after it sent what `first` makes of the packet. */
async function udpTracker(first: (packet: Buffer) => Buffer[] = () => []): Promise<{ url: string; packets: Buffer[] }> {
  const socket = createSocket('udp4')
  const packets: Buffer[] = []
  socket.on('message', (packet, from) => {
    packets.push(packet)
    const [action, transaction] = [packet.readUInt32BE(8), packet.subarray(12, 16)]
    const answer =
      action === 0
        ? Buffer.concat([Buffer.alloc(4), transaction, Buffer.from('1122334455667788', 'hex')])
        : Buffer.concat([
            Buffer.from('00000001', 'hex'),
            transaction,
            Buffer.from('000007080000000000000001010203040050', 'hex'),
          ])
    for (const reply of [...first(packet), answer]) socket.send(reply, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onClose(() => new Promise<void>((resolve) => socket.close(resolve)))
  return { url: `udp://127.0.0.1:${socket.address().port}`, packets }
}

test('announces by UDP, whatever else comes in', async () => {
  const { url, packets } = await udpTracker((packet) => [
    Buffer.alloc(0),
    Buffer.from('hello'),
    Buffer.concat([Buffer.alloc(4), Buffer.from('deadbeef', 'hex'), packet]),
  ])
  const { announcer, found } = announce([url])
  announcer.add(hash)
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(found).toEqual(['1.2.3.4:80', '1.2.3.4:80']))
  expect(packets.filter((packet) => packet.length === 16)).toHaveLength(1)
  const announced = packets.find((packet) => packet.length === 98)
  expect(announced?.subarray(0, 8).toString('hex')).toBe('1122334455667788')
  expect(announced?.subarray(16, 36).toString('hex')).toBe(hash)
  expect(announced?.readUInt16BE(96)).toBe(4321)
})

test('asks again after a UDP tracker answered too briefly or with an error', async () => {
  let asked = 0
  const { url } = await udpTracker((packet) => {
    asked++
    if (asked > 2) return []
    return [Buffer.concat([Buffer.from(asked === 1 ? '00000000' : '00000003', 'hex'), packet.subarray(12, 16)])]
  })
  const { announcer, found } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1), 5_000)
  announcer.add('bb'.repeat(20))
  await vi.waitFor(() => expect(found).toContain('1.2.3.4:80'), 5_000)
})

test('a start overtakes a farewell that was not sent yet, and never the other way round', async () => {
  const events: (string | null)[] = []
  const held: (() => void)[] = []
  const url = await httpTracker((request, response) => {
    events.push(new URL(request.url ?? '', 'http://x').searchParams.get('event'))
    held.push(() => response.end(compact))
  })
  const { announcer } = announce([url])
  announcer.add(hash)
  await vi.waitFor(() => expect(held).toHaveLength(1))
  announcer.complete(hash)
  announcer.remove(hash)
  announcer.add(hash)
  held[0]?.()
  await vi.waitFor(() => expect(events).toEqual(['started', 'started']))
  held[1]?.()
})

test('another kind of address is refused at the start', () => {
  expect(() => announce(['gopher://127.0.0.1:70'])).toThrow(/no tracker URL/)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
