import { afterEach, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { Connections } from './connections.ts'
import { StunResponder } from './stun-responder.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close()
})

function connections(iceServers: readonly string[], now = () => performance.now()): Connections {
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  const options = { egress, host: '127.0.0.1', maxConnections: 400, maxNegotiating: 100 }
  const made = new Connections({ ...options, iceServers, now })
  closers.push(() => made.close())
  return made
}

async function stunServer(delay: number): Promise<StunResponder> {
  const server = await StunResponder.open(delay)
  closers.push(() => server.close())
  return server
}

/** An answer to an offer of another node, and after how many milliseconds it was there. */
async function answered(made: Connections): Promise<{ sdp: string; took: number }> {
  const offer = await connections([]).offer(() => {})
  const began = performance.now()
  const answering = made.answer(offer?.sdp ?? '', { peerId: 'aa', tracker: 'wss://tracker.example' }, () => {})
  const sdp = (await answering?.sdp) ?? ''
  return { sdp, took: performance.now() - began }
}

test('without servers an answer is there at once', async () => {
  const made = connections([])
  const took: number[] = []
  for (let turn = 0; turn < 20; turn++) took.push((await answered(made)).took)
  expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(100)
})

test.each([0, 120, 400])('the address that a STUN server tells after %i ms is in the answer', async (delay) => {
  const server = await stunServer(delay)
  const { sdp } = await answered(connections([server.url]))
  expect(sdp).toContain('a=candidate:')
  expect(sdp).toMatch(/ 8\.8\.8\.8 4321 typ srflx/)
  expect(server.asked).toBeGreaterThan(0)
})

test('a STUN server that never answers is waited for once, and again after a minute', async () => {
  const server = await stunServer(Infinity)
  const clock = { time: 0 }
  const made = connections([server.url], () => clock.time)
  const first = await answered(made)
  expect(first.sdp).toMatch(/ typ host/)
  expect(first.took).toBeGreaterThan(900)
  const { asked } = server
  for (let turn = 0; turn < 5; turn++) expect((await answered(made)).took).toBeLessThan(900)
  clock.time = 60_000
  server.delay = 0
  expect((await answered(made)).sdp).toMatch(/ typ srflx/)
  expect((await answered(made)).sdp).toMatch(/ typ srflx/)
  expect(server.asked).toBeGreaterThan(asked)
})
