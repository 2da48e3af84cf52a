import { eventOf, maxScrape, noFullScrape, refuse, wordsOf } from './announce.ts'
import { happened } from '../swarm/index.ts'
import { JsonBytes } from './json-bytes.ts'
import { maxOffers, SocketMessage } from './socket-message.ts'

/** Offers of one announce that are read at all. */
const maxOffersRead = 100

/** Bytes of one WebSocket message: ten offers fit. */
export const maxMessage = 64 * 1024

const maxSdp = 16_384
/** An id of 20 bytes with each of them escaped, and then some. */
const maxOfferId = 160

const json = new JsonBytes()
const message = new SocketMessage()

/** What was found in the message that is being read, beside what goes into `message` at once. */
const found = {
  infoHashes: 0,
  peerIds: 0,
  to: 0,
  toEnd: 0,
  id: 0,
  idEnd: 0,
  sdp: 0,
  sdpEnd: 0,
  answer: 0,
  answerEnd: 0,
  action: 0,
  actionEnd: 0,
}

/**
 * One message of a WebTorrent client. A peer's address is that of its socket, never what it says. Throws
 * `InvalidInputError`.
 *
 * @returns the same object each time
 */
export const parseWebSocket = (bytes: Buffer, from = 0, to = bytes.length): SocketMessage => {
  clear(bytes, from, to)
  json.start(bytes, from, to)
  if (!json.isObject) refuse('the message must be a JSON object')
  for (let more = json.enter(0); more; more = json.more()) readField()
  json.end()
  const isScrape = json.is(found.action, found.actionEnd, '"scrape"')
  if (!isScrape && !json.is(found.action, found.actionEnd, '"announce"')) refuse('action must be announce or scrape')
  if (found.infoHashes === 0) refuse(isScrape ? noFullScrape : 'info_hash must be 20 bytes')
  if (isScrape) {
    message.action = 'scrape'
    if (message.infoHashTexts.length === 0)
      message.infoHashTexts.push(bytes.toString('latin1', message.infoHashFrom, message.infoHashTo))
    return message
  }
  if (found.infoHashes > 1) refuse('an announce names one info_hash')
  decode('peer_id', bytes, message.peerIdFrom, message.peerIdTo, message.peerId)
  if (message.isAnswer) {
    if (found.idEnd === 0) refuse('an answer needs its offer_id')
    decode('to_peer_id', bytes, found.to, found.toEnd, message.answered)
    message.offers = 0
    message.describe(0, found.answer, found.answerEnd, found.id, found.idEnd)
  }
  return message
}

/** The five words of an `info_hash` that came as JSON text. Throws `InvalidInputError`. */
export const infoHashOf = (text: string): Int32Array => {
  const bytes = Buffer.from(text, 'latin1')
  decode('info_hash', bytes, 0, bytes.length, twenty)
  wordsOf(twenty, 0, infoHash)
  return infoHash
}

const twenty = new Uint8Array(20)
const infoHash = new Int32Array(5)

const clear = (bytes: Buffer, from: number, to: number): void => {
  message.bytes = bytes
  message.from = from
  message.to = to
  message.action = 'announce'
  if (message.infoHashTexts.length > 0) message.infoHashTexts = []
  message.event = happened.update
  message.left = Number.NaN
  message.uploaded = Number.NaN
  message.downloaded = Number.NaN
  message.peerIdTo = 0
  message.offers = 0
  message.isAnswer = false
  found.infoHashes = 0
  found.toEnd = 0
  found.idEnd = 0
  found.actionEnd = 0
}

/** Reads one name and its value. A name that is there twice means what it says last. */
const readField = (): void => {
  const from = json.at
  const to = json.name()
  const value = json.at
  switch (to - from) {
    case 6:
      if (!json.is(from, to, '"left"')) break
      message.left = json.amount(1)
      return
    case 7:
      if (!json.is(from, to, '"event"')) break
      json.value(1)
      message.event = eventAt(value, json.at)
      return
    case 8:
      if (json.is(from, to, '"offers"')) return readOffers()
      if (json.is(from, to, '"answer"')) return readAnswer()
      if (!json.is(from, to, '"action"')) break
      json.value(1)
      found.action = value
      found.actionEnd = json.at
      return
    case 9:
      if (!json.is(from, to, '"peer_id"')) break
      json.value(1)
      message.peerIdFrom = value
      message.peerIdTo = json.at
      return
    case 10:
      if (json.is(from, to, '"offer_id"')) {
        found.idEnd = json.isString ? readOfferId() : nothing('offer_id')
        found.id = value
        return
      }
      if (!json.is(from, to, '"uploaded"')) break
      message.uploaded = json.amount(1)
      return
    case 11:
      if (json.is(from, to, '"info_hash"')) return readInfoHashes()
      break
    case 12:
      if (json.is(from, to, '"to_peer_id"')) {
        json.value(1)
        found.to = value
        found.toEnd = json.at
        return
      }
      if (!json.is(from, to, '"downloaded"')) break
      message.downloaded = json.amount(1)
      return
  }
  json.value(1)
}

const eventAt = (from: number, to: number): number => {
  if (json.is(from, to, 'null')) return happened.update
  return eventOf(json.bytes[from] === 34 ? json.text(from + 1, to - 1) : 'no text')
}

/** A value that says that there is none. @returns 0 */
const nothing = (name: string): 0 => {
  const from = json.at
  json.value(1)
  if (!json.is(from, json.at, 'null')) refuse(`${name} is of the wrong type`)
  return 0
}

const readInfoHashes = (): void => {
  found.infoHashes = 0
  message.infoHashTexts = []
  if (!json.isArray) return readInfoHash(1)
  for (let more = json.enter(1); more; more = json.moreOfArray()) {
    if (found.infoHashes === maxScrape) refuse(`at most ${maxScrape} info_hash values`)
    const from = json.at
    readInfoHash(2)
    message.infoHashTexts.push(json.text(from, json.at))
  }
}

const readInfoHash = (depth: number): void => {
  const from = json.at
  json.value(depth)
  decode('info_hash', json.bytes, from, json.at, twenty)
  if (++found.infoHashes > 1) return
  wordsOf(twenty, 0, message.infoHash)
  message.infoHashFrom = from
  message.infoHashTo = json.at
}

const readOffers = (): void => {
  message.offers = 0
  if (!json.isArray) return void nothing('offers')
  let count = 0
  for (let more = json.enter(1); more; more = json.moreOfArray()) {
    if (++count > maxOffersRead) refuse(`at most ${maxOffersRead} offers`)
    readOffer()
  }
}

const readOffer = (): void => {
  if (!json.isObject) refuse('an offer must be an object')
  let sdp = 0
  let sdpEnd = 0
  let id = 0
  let idEnd = 0
  for (let more = json.enter(2); more; more = json.more()) {
    const from = json.at
    const to = json.name()
    if (json.is(from, to, '"offer"')) {
      readDescription('offer', '"offer"', 3)
      sdp = found.sdp
      sdpEnd = found.sdpEnd
    } else if (json.is(from, to, '"offer_id"')) {
      id = json.at
      idEnd = readOfferId()
    } else json.value(3)
  }
  if (sdpEnd === 0 || idEnd === 0) refuse('an offer needs offer and offer_id')
  if (message.offers < maxOffers) message.describe(message.offers++, sdp, sdpEnd, id, idEnd)
}

const readAnswer = (): void => {
  message.isAnswer = json.isObject
  if (!message.isAnswer) return void nothing('answer')
  readDescription('answer', '"answer"', 1)
  found.answer = found.sdp
  found.answerEnd = found.sdpEnd
}

/** Finds the `sdp` of `{type, sdp}`. */
const readDescription = (name: string, type: string, depth: number): void => {
  if (!json.isObject) refuse(`${name} must be an object`)
  let isRight = false
  found.sdp = 0
  found.sdpEnd = 0
  for (let more = json.enter(depth); more; more = json.more()) {
    const from = json.at
    const to = json.name()
    const value = json.at
    json.value(depth + 1)
    if (json.is(from, to, '"sdp"')) {
      found.sdp = value
      found.sdpEnd = json.at
    } else if (json.is(from, to, '"type"')) isRight = json.is(value, json.at, type)
  }
  if (!isRight) refuse(`type must be ${name}`)
  const length = found.sdpEnd - found.sdp
  if (length < 3 || json.bytes[found.sdp] !== 34) refuse('sdp must be a text')
  if (length > maxSdp) refuse(`sdp is longer than ${maxSdp} bytes`)
}

/** @returns where it ends */
const readOfferId = (): number => {
  const from = json.at
  json.value(1)
  const length = json.at - from
  if (json.bytes[from] !== 34 || length < 3 || length > maxOfferId) refuse('offer_id must be a short text')
  return json.at
}

const escapes = new Map(
  Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(([name, code]) => [
    name.charCodeAt(0),
    code,
  ]),
)

/** A JSON string of 20 characters up to U+00FF, each of which is a byte, into `into`. */
const decode = (name: string, bytes: Buffer, from: number, to: number, into: Uint8Array): void => {
  if (to - from < 22 || bytes[from] !== 34) refuse(`${name} must be 20 bytes`)
  let length = 0
  for (let at = from + 1; at < to - 1; at++) {
    let code = bytes[at] as number
    if (code === 92) {
      const escape = bytes[++at] as number
      if (escape === 117) {
        code = Number.parseInt(bytes.toString('latin1', at + 1, at + 5), 16)
        at += 4
      } else code = escapes.get(escape) ?? 256
    } else if (code >= 0x80) {
      // Two bytes of UTF-8 reach U+07FF; those of a byte begin with C2 or C3.
      code = code === 0xc2 || code === 0xc3 ? ((code & 3) << 6) | ((bytes[++at] as number) & 63) : 256
    }
    if (code > 255 || length === 20) refuse(`${name} must be 20 bytes`)
    into[length++] = code
  }
  if (length !== 20) refuse(`${name} must be 20 bytes`)
}

/** Why an announce was refused, in words of ASCII. */
export const refusalMessage = (reason: string, { bytes, infoHashFrom, infoHashTo }: SocketMessage): string =>
  `{"action":"announce","failure reason":${JSON.stringify(reason)},"info_hash":${bytes.toString('latin1', infoHashFrom, infoHashTo)}}`
