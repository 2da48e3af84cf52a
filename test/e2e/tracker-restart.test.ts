import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFailed, onTestFinished, test } from 'vitest'
import { UdpPeer } from '../harness/announces.ts'
import { Tracker, until } from '../harness/index.ts'

const loopback = '::1'
const infoHash = Buffer.alloc(20, 7)

/** The answer to an announce over IPv6: 20 bytes, then 18 for each peer (BEP 15). */
const announce = async (tracker: Tracker, from: number): Promise<Buffer> => {
  const peer = await UdpPeer.open(tracker.port, loopback)
  const id = await peer.connect()
  peer.send(UdpPeer.announce(id, infoHash, 'p'.repeat(20), { port: from }))
  const answer = await peer.next(5000)
  peer.close()
  if (answer === undefined) throw new Error('no answer')
  return answer
}

const address = '0'.repeat(31) + '1'
const portsOf = (answer: Buffer): string[] =>
  (answer.toString('hex', 20).match(/.{36}/g) ?? [])
    .map((peer) => (peer.startsWith(address) ? String(parseInt(peer.slice(32), 16)) : peer))
    .toSorted()

test('after a restart peers of IPv6 are told of each other, and still are when the first sweeps are over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-tracker-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  const settings = { host: loopback, snapshot: join(folder, 'peers'), 'announce.intervalSeconds': 10 }
  const first = new Tracker(settings)
  onTestFailed(() => console.error(first.output()))
  await first.start()
  expect(portsOf(await announce(first, 7001))).toEqual([])
  expect(portsOf(await announce(first, 7002))).toEqual(['7001'])
  expect(await first.stop()).toBe(0)

  const second = new Tracker(settings)
  onTestFinished(async () => void (await second.stop()))
  onTestFailed(() => console.error(second.output()))
  await second.start()
  const began = performance.now()
  expect(portsOf(await announce(second, 7003))).toEqual(['7001', '7002'])
  await until(() => performance.now() - began > 2500, { within: 10_000, what: 'it has swept twice, once a second' })
  expect(portsOf(await announce(second, 7003))).toEqual(['7001', '7002'])
})
