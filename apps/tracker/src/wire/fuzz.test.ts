import { InvalidInputError } from '@eldernode/core'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Announce } from '../swarm/index.ts'
import { parseHttpAnnounce, parseHttpScrape } from './http.ts'
import { parseUdp, UdpRequest } from './udp.ts'
import { longestPassed, writeAnswer, writeOffer } from './socket-message.ts'
import { parseWebSocket } from './websocket.ts'

/** Of the three parsers together. `scripts/nightly` sends millions, each time others. */
const total = Number(process.env['ELDERNODE_FUZZ_INPUTS'] ?? 200_000)
const seed = process.env['ELDERNODE_FUZZ_INPUTS'] === undefined ? 6 : Date.now() | 0

let state = seed
const pick = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return Math.floor(((state >>> 8) / 2 ** 24) * below)
}

/** Changes some bytes, cuts, doubles, or joins two of what is right. */
const mutated = (samples: readonly Buffer[]): Buffer => {
  const sample = Buffer.from(samples[pick(samples.length)] ?? '')
  const times = pick(6)
  for (let i = 0; i < times; i++)
    if (sample.length > 0) sample[pick(sample.length)] = pick(3) === 0 ? pick(256) : 32 + pick(96)
  const cut = pick(sample.length + 1)
  switch (pick(5)) {
    case 0:
      return sample.subarray(0, cut)
    case 1:
      return Buffer.concat([sample.subarray(0, cut), sample.subarray(pick(cut + 1))])
    case 2:
      return Buffer.concat([sample.subarray(cut), samples[pick(samples.length)] ?? Buffer.alloc(0)])
    default:
      return sample
  }
}

/** @returns how many were taken */
const flood = (samples: readonly Buffer[], parse: (input: Buffer) => unknown): number => {
  let taken = 0
  for (let i = 0; i < total / 3; i++) {
    const input = mutated(samples)
    try {
      parse(input)
      taken++
    } catch (error) {
      if (!(error instanceof InvalidInputError))
        throw new Error(`seed ${seed}: ${input.toString('base64')}`, { cause: error })
    }
  }
  return taken
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Megabytes that are held. */
const held = (): number => {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}

const before = held()

const text = (input: Buffer): string => input.toString('latin1')

it('HTTP queries are read or refused', () => {
  const samples = [
    'info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A&peer_id=-TR3000-000000000001&port=6881&left=0&event=started&numwant=30&compact=1',
  ]
  const word = new Announce()
  const taken = flood(
    samples.map((one) => Buffer.from(one)),
    (input) => {
      if (input.length % 7 === 0) return parseHttpScrape(text(input))
      parseHttpAnnounce(text(input), word)
      if (!(word.port >= 1 && word.port <= 65_535) || word.wanted > 200 || word.left < 0)
        throw new Error('out of bounds')
    },
  )
  expect(taken).toBeGreaterThan(total / 100)
})

it('UDP packets are read or refused', () => {
  const announce = Buffer.alloc(110, 1)
  announce.writeUInt32BE(1, 8)
  announce.writeUInt32BE(2, 80)
  announce.write('020a', 98, 'hex')
  const scrape = Buffer.alloc(56)
  scrape.writeUInt32BE(2, 8)
  const request = new UdpRequest()
  const word = new Announce()
  const taken = flood([announce, scrape, Buffer.alloc(16)], (input) => {
    word.kind = 0
    parseUdp(input, request, word)
    if (word.wanted > 200 || request.scrapes > 74 || word.left < 0) throw new Error('out of bounds')
  })
  expect(taken).toBeGreaterThan(total / 100)
})

const out = Buffer.alloc(longestPassed)

it('WebSocket messages are read or refused, and what is passed on is JSON', () => {
  const offer = { offer: { type: 'offer', sdp: 'v=0\r\n"é' }, offer_id: 'o\u{1}'.repeat(10) }
  const announce = { action: 'announce', info_hash: 'h'.repeat(20), peer_id: 'p"é'.padEnd(20, '\u{0}'), left: 1 }
  const samples = [
    { ...announce, offers: [offer, offer], event: 'started', numwant: 5 },
    { ...announce, answer: { type: 'answer', sdp: 'v=0' }, to_peer_id: 'q'.repeat(20), offer_id: 'x' },
    { action: 'scrape', info_hash: ['h'.repeat(20), 'i'.repeat(20)] },
  ].map((one) => Buffer.from(JSON.stringify(one)))
  const taken = flood(samples, (input) => {
    const message = parseWebSocket(input)
    // Whatever this parser takes, the language's own takes too.
    JSON.parse(text(input))
    for (const piece of message.infoHashTexts) if (typeof JSON.parse(piece) !== 'string') throw new Error('no text')
    if (message.isAnswer) JSON.parse(out.toString('latin1', 0, writeAnswer(message, out)))
    for (let i = 0; i < message.offers; i++) JSON.parse(out.toString('latin1', 0, writeOffer(message, i, out)))
  })
  expect(taken).toBeGreaterThan(total / 100)
})

it('nothing is left of all these inputs', () => {
  expect(held() - before).toBeLessThan(16)
})
