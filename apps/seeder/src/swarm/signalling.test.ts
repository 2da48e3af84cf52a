import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import type { Torrent } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { Signalling } from './signalling.ts'
import type { Channel, Connections, PendingOffer } from './webrtc/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

class FakeChannel extends EventEmitter {
  id = 'bb'.repeat(20)
  stalled = false
  destroyed = false
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function setUp({ fetching = false, full = false } = {}) {
  const opened: ((channel: Channel) => void)[] = []
  const joined: unknown[] = []
  const announced: string[] = []
  const torrent = {
    destroyed: false,
    _peers: new Map(),
    _numConns: 0,
    addPeer: (peer: unknown) => joined.push(peer),
  } as unknown as Torrent
  const active = new ActiveTorrent('aa', torrent, fetching ? undefined : ({} as HeldTorrent), 0)
  const known = new Map([['aa', active]])
  const connections = {
    full,
    offer: (open: (channel: Channel) => void): Promise<PendingOffer> => {
      opened.push(open)
      return Promise.resolve({ sdp: 'offer', accept: () => {}, close: () => {} })
    },
    answer: (_sdp: string, _peerId: string, open: (channel: Channel) => void): Promise<string> => {
      opened.push(open)
      return Promise.resolve('answer')
    },
  } as unknown as Connections
  const signalling = new Signalling({
    connections,
    maxConns: () => 2,
    find: (infoHash) => known.get(infoHash),
    wake: (infoHash) => Promise.resolve(known.get(infoHash)),
    announceSoon: (infoHash) => announced.push(infoHash),
    logger: pino({ level: 'silent' }),
  })
  return { signalling, opened, joined, announced, torrent, known }
}

test('no offers for what is held whole, five while fetching, none when there are connections enough', async () => {
  expect(await setUp().signalling.offers('aa')).toEqual([])
  expect(await setUp({ fetching: true }).signalling.offers('aa')).toHaveLength(5)
  expect(await setUp({ fetching: true, full: true }).signalling.offers('aa')).toEqual([])
  expect(await setUp({ fetching: true }).signalling.offers('unknown')).toEqual([])
})

test('offers are answered for torrents of this node, unless the peer is here or there are enough', async () => {
  const { signalling, torrent, opened, joined } = setUp()
  expect(await signalling.answer('aa', 'peer', 'sdp')).toBe('answer')
  expect(await signalling.answer('unknown', 'peer', 'sdp')).toBeNull()
  expect(await setUp({ full: true }).signalling.answer('aa', 'peer', 'sdp')).toBeNull()
  torrent._peers?.set('peer', { wire: null, conn: null })
  expect(await signalling.answer('aa', 'peer', 'sdp')).toBeNull()
  Object.assign(torrent, { _numConns: 2 })
  expect(await signalling.answer('aa', 'other', 'sdp')).toBeNull()
  const channel = new FakeChannel()
  opened[0]?.(channel as unknown as Channel)
  expect(joined).toEqual([channel])
})

test('a stalled connection has announces carry offers until the peer is back; one that just ended does not', async () => {
  vi.useFakeTimers()
  const { signalling, opened, announced, torrent } = setUp()
  await signalling.answer('aa', 'peer', 'sdp')
  const ended = new FakeChannel()
  opened[0]?.(ended as unknown as Channel)
  ended.destroy()
  expect(announced).toEqual([])
  const stalled = new FakeChannel()
  opened[0]?.(stalled as unknown as Channel)
  stalled.stalled = true
  stalled.destroy()
  vi.advanceTimersByTime(1)
  expect(announced).toEqual(['aa'])
  expect(await signalling.offers('aa')).toHaveLength(5)
  expect(await signalling.offers('aa')).toEqual([])
  vi.advanceTimersByTime(15_000)
  expect(announced).toEqual(['aa', 'aa'])
  torrent._peers?.set(stalled.id, { wire: null, conn: null })
  vi.advanceTimersByTime(60_000)
  expect(announced).toEqual(['aa', 'aa'])
})

test('a connection that opens after its torrent is gone is closed', async () => {
  const { signalling, opened, known, joined } = setUp()
  await signalling.answer('aa', 'peer', 'sdp')
  known.clear()
  const late = new FakeChannel()
  opened[0]?.(late as unknown as Channel)
  expect(late.destroyed).toBe(true)
  expect(joined).toEqual([])
})
