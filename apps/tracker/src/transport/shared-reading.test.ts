import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readShared } from './shared-reading.ts'

let server: Server
const sockets: Socket[] = []

beforeEach(async () => {
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const pair = async (): Promise<[near: Socket, far: Socket]> => {
  const connection = once(server, 'connection')
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(far, 'connect')
  const [near] = (await connection) as [Socket]
  sockets.push(near, far)
  return [near, far]
}

test('what was read before comes as data, what is read later does not', async () => {
  const [near, far] = await pair()
  const heard: string[] = []
  near.resume().pause()
  far.write('before')
  await vi.waitUntil(() => near.readableLength > 0)
  const shared = readShared(near, (bytes) => void heard.push(`shared ${bytes.toString()}`))
  shared.on('data', (bytes: Buffer) => void heard.push(`data ${bytes.toString()}`))
  sockets.push(shared as Socket)
  await vi.waitUntil(() => heard.length === 1)
  far.write('later')
  await vi.waitUntil(() => heard.length === 2)
  expect(heard).toEqual(['data before', 'shared later'])
  const answer = once(far, 'data')
  shared.write('answer')
  expect(String((await answer)[0])).toBe('answer')
})

test('ends and stops as the connection does', async () => {
  const [near, far] = await pair()
  let length = 0
  const shared = readShared(near, (bytes) => (length += bytes.length))
  sockets.push(shared as Socket)
  shared.resume().pause()
  far.write(Buffer.alloc(1000))
  const [other, otherFar] = await pair()
  let others = 0
  sockets.push(readShared(other, (bytes) => (others += bytes.length)).resume() as Socket)
  otherFar.write('x')
  await vi.waitUntil(() => others === 1)
  expect(length).toBe(0)
  shared.resume()
  await vi.waitUntil(() => length === 1000)
  far.end()
  await once(shared, 'end')
})

test('a stream that is no connection of the system stays as it is', () => {
  const [near] = duplexPair()
  expect(readShared(near, () => undefined)).toBe(near)
})
