import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { Connections } from './connections.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const [bindingRequest, bindingSuccess, xorMappedAddress, cookie] = [0x0001, 0x0101, 0x0020, 0x2112_a442]
const seenAs = { address: [203, 0, 113, 7], port: 4242 }

/** A STUN server (RFC 8489) that sees everybody at one address, or that hears and says nothing. */
async function stunServer(answers: boolean): Promise<{ url: string; asked: () => number }> {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', (message, from) => {
    asked++
    if (!answers || message.readUInt16BE(0) !== bindingRequest) return
    const reply = Buffer.alloc(32)
    reply.writeUInt16BE(bindingSuccess, 0)
    reply.writeUInt16BE(12, 2)
    message.copy(reply, 4, 4, 20)
    reply.writeUInt16BE(xorMappedAddress, 20)
    reply.writeUInt16BE(8, 22)
    reply.writeUInt16BE(0x0001, 24)
    reply.writeUInt16BE(seenAs.port ^ (cookie >>> 16), 26)
    reply.writeUInt32BE((Buffer.from(seenAs.address).readUInt32BE() ^ cookie) >>> 0, 28)
    socket.send(reply, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closers.push(() => socket.close())
  return { url: `stun:127.0.0.1:${socket.address().port}`, asked: () => asked }
}

function connections(iceServers: string[]): Connections {
  const made = new Connections({
    egress: new Egress({ allowPrivate: true, allowedOrigins: [] }),
    host: '127.0.0.1',
    iceServers,
    maxConnections: 40,
    maxNegotiating: 10,
    now: () => performance.now(),
  })
  closers.push(() => made.close())
  return made
}

async function answer(made: Connections): Promise<{ sdp: string; took: number }> {
  const offer = await connections([]).offer(() => {})
  const started = performance.now()
  const answering = made.answer(offer?.sdp ?? '', { peerId: 'aa', tracker: '' }, () => {})
  const sdp = (await answering?.sdp) ?? ''
  return { sdp, took: performance.now() - started }
}

test('what a STUN server sees is among the candidates of an answer', async () => {
  const { url } = await stunServer(true)
  const { sdp } = await answer(connections([url]))
  expect(sdp).toMatch(/a=candidate:.* 127\.0\.0\.1 \d+ typ host/)
  expect(sdp).toMatch(/a=candidate:.* 203\.0\.113\.7 4242 typ srflx/)
})

test('a STUN server that says nothing holds no answer back', async () => {
  const { url, asked } = await stunServer(false)
  const made = connections([url])
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await answer(made))
  expect(asked()).toBeGreaterThan(0)
  for (const { sdp } of answers) expect(sdp).toMatch(/a=candidate:.* 127\.0\.0\.1 \d+ typ host/)
  // 150 ms for the server; a busy machine adds to it.
  expect(Math.min(...answers.map(({ took }) => took))).toBeLessThan(200)
})
