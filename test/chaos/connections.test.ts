import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { backToLevel, footprint, Network, until } from '../harness/index.ts'

const idle = 10_000
const slow = 300

let network: Network
let port: number
const sockets = new Set<Socket>()

beforeAll(async () => {
  network = await Network.start({
    seeders: 1,
    tracker: false,
    settings: { 'rate.token': 0, 'rate.address': 0, 'rate.failures': 0 },
  })
  port = Number(new URL(network.first.url).port)
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await network.close()
})

/** Opens a connection; resolves once it stands. */
function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    sockets.add(socket)
    socket.once('error', reject)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.resume()
  })
}

/** How long the slowest of a few fresh requests took, in milliseconds. */
async function slowestAnswer(): Promise<number> {
  let slowest = 0
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    const response = await fetch(`${network.first.url}/health`, { headers: { connection: 'close' } })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    slowest = Math.max(slowest, performance.now() - began)
  }
  return slowest
}

test('10,000 connections that say nothing keep nobody out, and are closed', async () => {
  network.reportFailure()
  const before = await footprint(network.first)
  for (let i = 0; i < idle; i += 250) await Promise.all(Array.from({ length: 250 }, open))
  expect(await slowestAnswer()).toBeLessThan(3000)
  await until(() => sockets.size === 0, { within: 60_000, what: 'all idle connections are closed' })
  await backToLevel(network.first, before, { residentBytes: 250 * 2 ** 20, liveBytes: 0, descriptors: 20 })
  expect(await slowestAnswer()).toBeLessThan(3000)
})

test('clients that send their headers a byte at a time are cut off, and others are served meanwhile', async () => {
  network.reportFailure()
  const lorises = await Promise.all(Array.from({ length: slow }, open))
  for (const loris of lorises) loris.write('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const drip = setInterval(() => {
    for (const loris of lorises) if (loris.writable) loris.write('a')
  }, 500)
  try {
    expect(await slowestAnswer()).toBeLessThan(3000)
    await until(() => sockets.size === 0, { within: 40_000, what: 'every slow client is cut off' })
  } finally {
    clearInterval(drip)
  }
})

test.each([
  [
    'a length and more bytes than that',
    'PUT /v1/media?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n',
    '12345GARBAGE AND MORE',
  ],
  ['two lengths', 'PUT /v1/media?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n', '123456'],
  [
    'a length and chunks',
    'PUT /v1/media?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    '5\r\n12345\r\n0\r\n\r\n',
  ],
])('a body with %s is refused, and what follows is taken for no request', async (_what, head, body) => {
  const socket = await open()
  let text = ''
  socket.on('data', (data) => (text += data.toString('latin1')))
  const hidden = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(`${head}Authorization: Bearer ${network.first.token}\r\n\r\n${body}\r\n${hidden}`)
  await until(() => socket.destroyed, { within: 20_000, what: 'the connection is closed' })
  expect(text).not.toContain('# TYPE')
  expect(text.match(/HTTP\/1\.1 400 /g)?.length ?? 0).toBeGreaterThan(0)
})
