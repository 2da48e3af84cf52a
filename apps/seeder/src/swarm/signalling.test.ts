import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import type { Torrent } from 'webtorrent'
import { ActiveTorrent } from './awake/active-torrent.ts'
import type { HeldTorrent } from './awake/held-torrent.ts'
import { Signalling } from './signalling.ts'
import type { Answering, Channel, Connections, OfferSource, PendingOffer } from './webrtc/index.ts'

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

/** As much of an offer for data channels as is looked at. */
const sdp = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-pwd:x\r\na=fingerprint:sha-256 00\r\n'

function from(peerId: string): OfferSource {
  return { peerId, tracker: 'wss://tracker.example' }
}

function setUp({
  fetching = false,
  full = false,
  waking,
}: { fetching?: boolean; full?: boolean; waking?: Promise<ActiveTorrent | undefined> } = {}) {
  const closed: string[] = []
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
  const dropped: unknown[] = []
  const connections = {
    full,
    countDropped: () => dropped.push('offer'),
    offer: (open: (channel: Channel) => void): Promise<PendingOffer> => {
      opened.push(open)
      return Promise.resolve({ sdp: 'offer', accept: () => {}, close: () => {} })
    },
    answer: (offer: string, _from: OfferSource, open: (channel: Channel) => void): Answering | undefined => {
      if (full) return undefined
      opened.push(open)
      const answer = offer.includes('broken') ? Promise.reject(new Error('broken')) : Promise.resolve('answer')
      return { sdp: answer, close: () => closed.push(offer) }
    },
  } as unknown as Connections
  const signalling = new Signalling({
    connections,
    maxConns: () => 2,
    has: (infoHash) => infoHash === 'aa' || infoHash === 'asleep',
    find: (infoHash) => known.get(infoHash),
    wake: (infoHash) => waking ?? Promise.resolve(known.get(infoHash)),
    announceSoon: (infoHash) => announced.push(infoHash),
    logger: pino({ level: 'silent' }),
  })
  return { signalling, opened, joined, announced, torrent, known, closed, active, dropped }
}

test('no offers for what is held whole, five while fetching, none when there are connections enough', async () => {
  expect(await setUp().signalling.offers('aa')).toEqual([])
  expect(await setUp({ fetching: true }).signalling.offers('aa')).toHaveLength(5)
  expect(await setUp({ fetching: true, full: true }).signalling.offers('aa')).toEqual([])
  expect(await setUp({ fetching: true }).signalling.offers('unknown')).toEqual([])
})

test('offers are answered for torrents of this node, unless the peer is here or there are enough', async () => {
  const { signalling, torrent, opened, joined, dropped } = setUp()
  expect(await signalling.answer('aa', sdp, from('peer'))).toBe('answer')
  expect(await signalling.answer('unknown', sdp, from('peer'))).toBeNull()
  expect(await setUp({ full: true }).signalling.answer('aa', sdp, from('peer'))).toBeNull()
  torrent._peers?.set('peer', { wire: null, conn: null })
  expect(await signalling.answer('aa', sdp, from('peer'))).toBeNull()
  Object.assign(torrent, { _numConns: 2 })
  expect(await signalling.answer('aa', sdp, from('other'))).toBeNull()
  expect(dropped).toHaveLength(2)
  const channel = new FakeChannel()
  opened[0]?.(channel as unknown as Channel)
  await vi.waitFor(() => expect(joined).toEqual([channel]))
})

test('offers that are none for data, too large, broken or too many are dropped and counted', async () => {
  const { signalling, opened, dropped } = setUp()
  const bad = [
    '',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    `${sdp}m=video 9 UDP/TLS/RTP/SAVPF 0`,
    `${sdp}${'x'.repeat(20_000)}`,
  ]
  for (const each of bad) expect(await signalling.answer('aa', each, from('peer'))).toBeNull()
  expect(opened).toEqual([])
  expect(await signalling.answer('aa', `${sdp}broken`, from('peer'))).toBeNull()
  expect(dropped).toHaveLength(5)
  const crowded = setUp({ full: true })
  await crowded.signalling.answer('aa', sdp, from('peer'))
  expect(crowded.dropped).toHaveLength(1)
})

test('a sleeping item is answered for while it wakes; when it does not wake the connection is given up', async () => {
  const { promise, resolve } = Promise.withResolvers<ActiveTorrent | undefined>()
  const { signalling, closed, opened, joined, active } = setUp({ waking: promise })
  expect(await signalling.answer('asleep', sdp, from('peer'))).toBe('answer')
  const channel = new FakeChannel()
  opened[0]?.(channel as unknown as Channel)
  expect(joined).toEqual([])
  resolve(active)
  await vi.waitFor(() => expect(joined).toEqual([channel]))
  const gone = setUp({ waking: Promise.resolve(undefined) })
  await gone.signalling.answer('asleep', sdp, from('peer'))
  await vi.waitFor(() => expect(gone.closed).toEqual([sdp]))
  expect(closed).toEqual([])
})

test('a stalled connection has announces carry offers until the peer is back; one that just ended does not', async () => {
  vi.useFakeTimers()
  const { signalling, opened, announced, torrent, joined } = setUp()
  await signalling.answer('aa', sdp, from('peer'))
  const ended = new FakeChannel()
  opened[0]?.(ended as unknown as Channel)
  await vi.waitFor(() => expect(joined).toEqual([ended]))
  ended.destroy()
  expect(announced).toEqual([])
  const stalled = new FakeChannel()
  opened[0]?.(stalled as unknown as Channel)
  await vi.waitFor(() => expect(joined).toEqual([ended, stalled]))
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
  await signalling.answer('aa', sdp, from('peer'))
  known.clear()
  const late = new FakeChannel()
  opened[0]?.(late as unknown as Channel)
  await vi.waitFor(() => expect(late.destroyed).toBe(true))
  expect(joined).toEqual([])
})
