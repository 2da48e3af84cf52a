import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { closeAll, code, hash, onClose, peerId } from './testbed.ts'
import { UdpTracker } from './udp.ts'

afterEach(closeAll)

const announcement = { infoHash: hash, event: 'started', uploaded: 0, downloaded: 0, left: 0 } as const
const node = { peerId, port: () => 1 }

/** A server of UDP, and a tracker that speaks to it, losing patience after some milliseconds. */
async function serve(
  heard: (packet: Buffer, send: (answer: Buffer) => void) => void,
  patience = 50,
): Promise<{ tracker: UdpTracker; socket: Socket }> {
  const socket = createSocket('udp4')
  socket.on('message', (packet: Buffer, { port, address }: RemoteInfo) =>
    heard(packet, (answer) => socket.send(answer, port, address)),
  )
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const tracker = new UdpTracker(`udp://127.0.0.1:${socket.address().port}`, node, Date.now, patience)
  onClose(() => {
    tracker.close()
    return new Promise<void>((resolve) => socket.close(resolve))
  })
  return { tracker, socket }
}

const isAnnounce = (packet: Buffer): boolean => packet.readUInt32BE(8) === 1

/** What a good tracker answers. */
function good(packet: Buffer): Buffer {
  const answer = Buffer.alloc(isAnnounce(packet) ? 20 : 16)
  packet.copy(answer, 0, 8, 16)
  if (isAnnounce(packet)) answer.writeUInt32BE(900, 8)
  return answer
}

function failure(packet: Buffer, reason: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 3]), packet.subarray(12, 16), Buffer.from(reason)])
}

// The kernel refuses to connect to the broadcast address, as it does to any address while the network is down.
test('a socket that could not be connected is given up, and the next announce makes another', async () => {
  const tracker = new UdpTracker('udp://255.255.255.255:9', node, Date.now)
  for (let i = 0; i < 2; i++) await expect(tracker.announce(announcement)).rejects.toThrow(TrackerFailedError)
  tracker.close()
})

test('a tracker that is closed while its name is looked up', async () => {
  const tracker = new UdpTracker('udp://localhost:9', node, Date.now, 50)
  const announcing = tracker.announce(announcement)
  tracker.close()
  await expect(announcing).rejects.toThrow(TrackerFailedError)
})

test('what was lost is sent again, over one socket and one connection id for all announces', async () => {
  const ports = new Set<number>()
  const lost = new Set<number>()
  let connects = 0
  const { tracker, socket } = await serve((packet, send) => {
    const transaction = packet.readUInt32BE(12)
    if (!lost.has(transaction)) return void lost.add(transaction)
    if (!isAnnounce(packet)) connects++
    send(good(packet))
  }, 300)
  socket.on('message', (_packet, { port }: RemoteInfo) => ports.add(port))
  for (let batch = 0; batch < 4; batch++) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => tracker.announce(announcement)))
    for (const { interval } of answers) expect(interval).toBe(900_000)
  }
  expect([ports.size, connects]).toEqual([1, 1])
})

test('silence ends an announce, and the next one is heard', async () => {
  let deaf = true
  const { tracker } = await serve((packet, send) => {
    if (!deaf) send(good(packet))
  })
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => tracker.announce(announcement)))
  for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'tracker_failed' } })
  deaf = false
  expect((await tracker.announce(announcement)).peers).toEqual([])
})

test('a refusal is told from a connection id that the tracker forgot', async () => {
  const reasons = ['Connection ID mismatch.', 'unregistered torrent']
  let connects = 0
  const { tracker } = await serve((packet, send) => {
    if (!isAnnounce(packet)) connects++
    const reason = isAnnounce(packet) ? reasons.shift() : undefined
    send(reason === undefined ? good(packet) : failure(packet, reason))
  })
  await expect(tracker.announce(announcement)).rejects.toThrow(TrackerFailedError)
  await expect(tracker.announce(announcement)).rejects.toThrow(TrackerRefusedError)
  expect(connects).toBe(2)
})

test('whatever bytes come, an announce ends with an answer or a named error', async () => {
  let turn = 0
  const { tracker } = await serve((packet, send) => {
    for (let copy = 0; copy < 3; copy++) {
      const bytes = randomBytes(turn++ % 40)
      // Half of it passes for an answer to this.
      if (copy === 1 && bytes.length >= 8) packet.copy(bytes, 4, 12, 16)
      send(bytes)
    }
    send(good(packet))
  })
  for (let round = 0; round < 100; round++) {
    const outcome = await tracker.announce(announcement).then(() => 'answered', code)
    expect(['answered', 'tracker_failed', 'tracker_refused']).toContain(outcome)
  }
})
