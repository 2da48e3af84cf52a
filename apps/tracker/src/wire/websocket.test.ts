import { describe, expect, it } from 'vitest'
import { happened } from '../swarm/index.ts'
import { longestPassed, type SocketMessage, writeAnswer, writeOffer } from './socket-message.ts'
import { infoHashOf, parseWebSocket } from './websocket.ts'

const infoHash = '\u{0}\u{ff}aaaaaaaaaaaaaaaaaa'
const peerId = `"\\/\n${'é'.repeat(16)}`
const announce = { action: 'announce', info_hash: infoHash, peer_id: peerId }
const offer = { offer: { type: 'offer', sdp: 'v=0\r\no=- "1" \\ é' }, offer_id: '\u{1}'.repeat(20) }
const answer = { answer: { type: 'answer', sdp: 'v=0' }, to_peer_id: 'q'.repeat(20), offer_id: offer.offer_id }

/** A character for each byte. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1')
const parse = (message: unknown) =>
  parseWebSocket(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)))
const announced = (message: unknown) => {
  const parsed = parse(message)
  if (parsed.action !== 'announce') throw new Error('no announce')
  return parsed
}
const out = Buffer.alloc(longestPassed)
const passed = (length: number): unknown => JSON.parse(out.toString('utf8', 0, length))
const textOf = (id: Buffer): string => id.toString('latin1')
const sizes = ({ offers, isAnswer }: SocketMessage) => ({ offers, isAnswer })

describe('parseWebSocket', () => {
  it('passes on what peers need, in the very bytes it came in, and nothing else', () => {
    const message = announced({ ...announce, offers: [{ ...offer, x: 1 }], left: 0, event: 'started', ip: '1.2.3.4' })
    expect(message).toMatchObject({ event: happened.started, left: 0, offers: 1, isAnswer: false })
    expect(textOf(message.peerId)).toBe(peerId)
    expect([...message.infoHash].map((word) => word >>> 0)).toEqual([0x00ff6161, ...Array<number>(4).fill(0x61616161)])
    expect(passed(writeOffer(message, 0, out))).toEqual({ ...announce, ...offer })
    const reply = announced({ ...announce, ...answer, offers: [offer] })
    expect(sizes(reply)).toEqual({ offers: 0, isAnswer: true })
    expect(textOf(reply.answered)).toBe('q'.repeat(20))
    const { to_peer_id: _to, ...rest } = answer
    expect(passed(writeAnswer(reply, out))).toEqual({ ...announce, ...rest })
  })

  it('passes on the longest there is, from anywhere in what came in', () => {
    const spelled = (character: string): string => `"${character.repeat(20)}"`
    const ids = `"info_hash":${spelled('\\u00ff')},"peer_id":${spelled('\\u00fe')},"action":"announce"`
    const one = `{"offer_id":"${'\\u0001'.repeat(26)}","offer":{"sdp":"${'x'.repeat(16_382)}","type":"offer"}}`
    const text = Buffer.from(`before{${ids},"offers":[${one},${one}]}after`)
    const message = parseWebSocket(text, 6, text.length - 5)
    expect(message.offers).toBe(2)
    expect(passed(writeOffer(message, 1, out))).toMatchObject({
      offer_id: '\u0001'.repeat(26),
      peer_id: 'þ'.repeat(20),
    })
  })

  it('reads every spelling of the same JSON', () => {
    const spelled = `\t{ "peer_id" :"${'\\u0070'.repeat(20)}" , "info_hash":"\\u0000\\u00FF${'a'.repeat(18)}"
      ,"left":1.5e1,"x":[1,-0.5,{"y":[[],{}]},true,false,null,"\\ud83d\\ude00"], "action":"announce"} \r`
    expect(announced(spelled).left).toBe(15)
    expect(textOf(announced(spelled).peerId)).toBe('p'.repeat(20))
  })

  it.each([
    [null, Number.NaN],
    [-1, Number.NaN],
    ['0', Number.NaN],
    [{}, Number.NaN],
    [0, 0],
    [1e300, 1e300],
  ])('does not take left: %j for a complete peer unless it is 0', (left, expected) => {
    expect(announced({ ...announce, left }).left).toBe(expected)
    expect(announced(announce).left).toBeNaN()
  })

  it('drops offers beyond ten, and takes null for what is not there', () => {
    expect(announced({ ...announce, offers: Array(40).fill(offer) }).offers).toBe(10)
    const nothing = { offers: null, answer: null, to_peer_id: null, offer_id: null, event: null }
    expect(announced({ ...announce, ...nothing })).toMatchObject({
      offers: 0,
      isAnswer: false,
      event: happened.update,
    })
  })

  it('reads scrapes of one and several torrents', () => {
    const scrape = parse({ action: 'scrape', info_hash: [infoHash, infoHash] })
    expect(scrape).toMatchObject({ action: 'scrape', infoHashTexts: { length: 2 } })
    expect(infoHashOf(bytes(JSON.stringify(infoHash)))[0]).toBe(0x00ff6161)
    expect(parse({ action: 'scrape', info_hash: infoHash })).toMatchObject({ infoHashTexts: { length: 1 } })
  })

  it('says of a message what is wrong with it first of all', () => {
    expect(() => parse({ action: 'foo' })).toThrow('action must be announce or scrape')
    expect(() => parse({ action: 'scrape' })).toThrow('at least one info_hash')
    expect(() => parse({ action: 'announce' })).toThrow('info_hash must be 20 bytes')
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['no action', { ...announce, action: undefined }],
    ['an unknown action', { ...announce, action: 'constructor' }],
    ['an offer that is null', { ...announce, offers: [null] }],
    ['an offer without sdp', { ...announce, offers: [{ offer: { type: 'offer' }, offer_id: 'x' }] }],
    [
      'an offer whose sdp is a number',
      { ...announce, offers: [{ offer: { type: 'offer', sdp: 55555 }, offer_id: 'x' }] },
    ],
    ['an offer of another type', { ...announce, offers: [{ offer: { type: 'answer', sdp: 'x' }, offer_id: 'x' }] }],
    [
      'an offer whose sdp is too long',
      { ...announce, offers: [{ ...offer, offer: { type: 'offer', sdp: 'x'.repeat(17_000) } }] },
    ],
    ['an offer_id that is too long', { ...announce, offers: [{ ...offer, offer_id: 'x'.repeat(200) }] }],
    ['an offer_id that is a list', { ...announce, offers: [{ ...offer, offer_id: ['xxxx'] }] }],
    ['offers that are an object with a length', { ...announce, offers: { length: 5 } }],
    ['a hundred and one offers', { ...announce, offers: Array(101).fill(offer) }],
    ['a scrape of a number', { action: 'scrape', info_hash: 5 }],
    ['a scrape of everything', { action: 'scrape' }],
    ['a scrape of 75 torrents', { action: 'scrape', info_hash: Array(75).fill(infoHash) }],
    ['an announce of two torrents', { ...announce, info_hash: [infoHash, infoHash] }],
    ['an info_hash beyond bytes', { ...announce, info_hash: '\u{100}'.repeat(20) }],
    ['an info_hash of 19', { ...announce, info_hash: 'x'.repeat(19) }],
    ['a peer_id that is missing', { ...announce, peer_id: undefined }],
    ['a peer_id that is an object', { ...announce, peer_id: { length: 20 } }],
    ['an answer to nobody', { ...announce, ...answer, to_peer_id: undefined }],
    ['an answer to no offer', { ...announce, ...answer, offer_id: undefined }],
    ['an answer that is a text', { ...announce, ...answer, answer: 'x' }],
    ['an unknown event', { ...announce, event: 'toString' }],
    ['an event that is a number', { ...announce, event: 1 }],
    ['nesting without end', `{"x":${'['.repeat(10_000)}`],
  ])('refuses %s', (_what, message) => {
    expect(() => parse(message)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })

  it.each([
    '',
    '{',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '{"a":01}',
    '{"a":.5}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u00g0"}',
    '{"a":1}}',
    '{"a":tru}',
    '{"a":"b}',
    "{'a':1}",
    '{"a":[1,]}',
    '{"a":NaN}',
  ])('refuses %j, which is no JSON', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
