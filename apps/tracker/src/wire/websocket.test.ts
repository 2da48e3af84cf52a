import { describe, expect, it } from 'vitest'
import { engineMessage, parseWebSocket } from './websocket.ts'

const infoHash = '\u{0}\u{ff}aaaaaaaaaaaaaaaaaa'
const announce = { action: 'announce', info_hash: infoHash, peer_id: 'p'.repeat(20) }
const offer = { offer: { type: 'offer', sdp: 'v=0' }, offer_id: 'o'.repeat(20) }
const answer = { answer: { type: 'answer', sdp: 'v=0' }, to_peer_id: 'q'.repeat(20), offer_id: offer.offer_id }

const parse = (message: unknown) => parseWebSocket(JSON.stringify(message))
const passed = (message: unknown): unknown => JSON.parse(engineMessage(parse(message)))

describe('parseWebSocket', () => {
  it('passes on the allowed fields of an announce and nothing else', () => {
    expect(
      passed({ ...announce, offers: [{ ...offer, x: 1 }], left: 0, event: 'started', ip: '1.2.3.4', socket: {} }),
    ).toEqual({ ...announce, offers: [offer], left: 0, event: 'started' })
    expect(passed({ ...announce, ...answer })).toEqual({ ...announce, ...answer, event: 'update', left: 'unknown' })
  })

  it('does not take an unknown size, which JSON makes null, for a complete peer', () => {
    expect(parse({ ...announce, left: null })).toMatchObject({ left: undefined })
    expect(parse({ ...announce, left: -1 })).toMatchObject({ left: undefined })
  })

  it('drops offers beyond ten', () => {
    expect(parse({ ...announce, offers: Array(40).fill(offer) })).toMatchObject({ offers: Array(10).fill(offer) })
  })

  it('reads scrapes of one and several torrents', () => {
    expect(parse({ action: 'scrape', info_hash: infoHash })).toMatchObject({
      infoHashes: [expect.stringMatching(/^00ff/)],
    })
    expect(passed({ action: 'scrape', info_hash: [infoHash] })).toEqual({ action: 'scrape', info_hash: [infoHash] })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['an unknown action', { ...announce, action: 'constructor' }],
    ['an offer that is null', { ...announce, offers: [null] }],
    ['an offer without sdp', { ...announce, offers: [{ offer: { type: 'offer' }, offer_id: 'x' }] }],
    ['offers that are an object with a length', { ...announce, offers: { length: 5 } }],
    ['a hundred and one offers', { ...announce, offers: Array(101).fill(offer) }],
    ['a scrape of a number', { action: 'scrape', info_hash: 5 }],
    ['a scrape of everything', { action: 'scrape' }],
    ['a scrape of 75 torrents', { action: 'scrape', info_hash: Array(75).fill(infoHash) }],
    ['an info_hash beyond bytes', { ...announce, info_hash: '\u{100}'.repeat(20) }],
    ['a peer_id that is missing', { ...announce, peer_id: undefined }],
    ['an answer to nobody', { ...announce, ...answer, to_peer_id: undefined }],
    ['an answer to no offer', { ...announce, ...answer, offer_id: undefined }],
    ['an unknown event', { ...announce, event: 'toString' }],
  ])('refuses %s', (_what, message) => {
    expect(() => parse(message)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })

  it('refuses what is no JSON', () => {
    expect(() => parseWebSocket('{')).toThrow(/no JSON/)
  })
})
