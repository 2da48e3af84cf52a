import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { EventRecord } from '../../library/index.ts'
import { EventStreams } from './event-streams.ts'

const listener = { owner: 'ann', everything: false, types: [] }
let server: Server

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** Events without end, and how many of them were read. */
function endless() {
  const read = { events: 0 }
  const event = (id: number): EventRecord => ({
    id,
    type: 'published',
    infoHash: 'a'.repeat(40),
    owner: 'bob',
    access: 'public',
    at: 0,
    data: { words: 'x'.repeat(1000) },
  })
  const journal = {
    after: (id: number, limit: number) => {
      read.events += limit
      return Array.from({ length: limit }, (_, n) => event(id + 1 + n))
    },
    newest: () => 2 ** 40,
    oldest: () => 1,
    watch: () => () => undefined,
  }
  return { journal, read }
}

async function serve(streams: EventStreams): Promise<number> {
  server = createServer((_request, response) => {
    try {
      streams.admit(listener)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      void streams.run(response, listener, 0)
    } catch (error) {
      response.writeHead(503).end(error instanceof Error ? error.message : '')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('a listener that reads nothing has nothing gathered for it, and is cut off', async () => {
  const { journal, read } = endless()
  const port = await serve(new EventStreams({ journal, stallMs: 300 }))
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [connection] = (await once(server, 'connection')) as [NodeJS.EventEmitter]
  await once(connection, 'close')
  // What the two sockets hold between them: some megabytes, a kilobyte an event.
  expect(read.events).toBeLessThan(30_000)
  socket.destroy()
})

test('listeners are bounded in number, and those who left make room', async () => {
  const { journal } = endless()
  const port = await serve(new EventStreams({ journal, stallMs: 10_000, mostOfOne: 2 }))
  const url = `http://127.0.0.1:${port}`
  const leave = new AbortController()
  const [first, second] = [await fetch(url, { signal: leave.signal }), await fetch(url)]
  expect([first.status, second.status, (await fetch(url)).status]).toEqual([200, 200, 503])
  leave.abort()
  await vi.waitFor(async () => {
    const response = await fetch(url)
    await response.body?.cancel()
    expect(response.status).toBe(200)
  })
  await second.body?.cancel()
})
