import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'

let now = 0
const sent = new EventEmitter()
const engineOf = (limits: Partial<ConstructorParameters<typeof Engine>[0]> = {}) =>
  new Engine({ interval: 10_000, maxSwarms: 3, maxPeersPerSwarm: 5, maxPeers: 8, now: () => now, ...limits })

/** A checked UDP announce, as the wire hands it over. */
const announce = async (engine: Engine, torrent: number, peer: number, event = 2): Promise<Buffer> => {
  const packet = Buffer.alloc(98)
  packet.write('0000041727101980', 'hex')
  packet.writeUInt32BE(1, 8)
  packet.fill(torrent, 16, 36)
  packet.writeUInt32BE(event, 80)
  engine.udp4 ??= { send: (answer, _offset, _length, port) => sent.emit(String(port), answer) }
  const answered = once(sent, String(peer))
  engine.onUdpRequest(packet, { address: '127.0.0.1', port: peer, family: 'IPv4' })
  return (await answered)[0] as Buffer
}

describe('Engine', () => {
  it('counts peers and forgets a torrent with its last one', async () => {
    const engine = engineOf()
    await announce(engine, 1, 1)
    await announce(engine, 1, 2)
    await announce(engine, 1, 2)
    expect([engine.swarms, engine.peers]).toEqual([1, 2])
    await announce(engine, 1, 1, 3)
    await announce(engine, 1, 2, 3)
    await announce(engine, 1, 9, 3)
    expect([engine.swarms, engine.peers, Object.keys(engine.torrents)]).toEqual([0, 0, []])
  })

  it('keeps both of two first announces that arrive together', async () => {
    const engine = engineOf()
    await Promise.all([announce(engine, 1, 1), announce(engine, 1, 2)])
    expect([engine.swarms, engine.peers]).toEqual([1, 2])
  })

  it('refuses torrents beyond its limits, and goes on with those it knows', async () => {
    const engine = engineOf()
    for (const torrent of [1, 2, 3]) await announce(engine, torrent, 1)
    expect((await announce(engine, 4, 1)).toString('latin1')).toContain('full')
    expect((await announce(engine, 3, 2)).readUInt32BE(0)).toBe(1)
    expect([engine.swarms, engine.peers]).toEqual([3, 4])
    const few = engineOf({ maxPeers: 2 })
    for (const peer of [1, 2]) await announce(few, 1, peer)
    expect((await announce(few, 2, 1)).readUInt32BE(0)).toBe(3)
  })

  it('holds no more peers of one torrent than its limit', async () => {
    const engine = engineOf()
    for (let peer = 1; peer <= 20; peer++) await announce(engine, 1, peer)
    expect(engine.peers).toBe(5)
  })

  it('sweeps torrents that nobody announced for two intervals', async () => {
    const engine = engineOf()
    now = 0
    await announce(engine, 1, 1)
    await announce(engine, 2, 1)
    now = 15_000
    await announce(engine, 1, 1)
    now = 20_000
    engine.sweep()
    expect([engine.swarms, engine.peers, Object.keys(engine.torrents)]).toEqual([1, 1, ['01'.repeat(20)]])
  })
})
