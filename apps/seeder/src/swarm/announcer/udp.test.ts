import { expect, test } from 'vitest'
import { TrackerFailedError } from './errors.ts'
import { hash, peerId } from './testbed.ts'
import { UdpTracker } from './udp.ts'

const announcement = { infoHash: hash, event: 'started', uploaded: 0, downloaded: 0, left: 0 } as const

// The kernel refuses to connect to the broadcast address, as it does to any address while the network is down.
test('a socket that could not be connected is given up, and the next announce makes another', async () => {
  const tracker = new UdpTracker('udp://255.255.255.255:9', { peerId, port: () => 1 }, Date.now)
  for (let i = 0; i < 2; i++) await expect(tracker.announce(announcement)).rejects.toThrow(TrackerFailedError)
  tracker.close()
})
