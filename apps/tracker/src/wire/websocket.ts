import { eventOf, maxScrape, refuse, wordsOf } from './announce.ts'
import { happened } from '../swarm/index.ts'
import { JsonText } from './json-text.ts'

/** Offers of one announce that are passed on; the rest is dropped. */
const maxOffers = 10

/** Offers of one announce that are read at all. */
const maxOffersRead = 100

/** Bytes of one WebSocket message: ten offers fit. */
export const maxMessage = 64 * 1024

const maxSdp = 16_384
/** An id of 20 bytes with each of them escaped, and then some. */
const maxOfferId = 160

/** Pieces of JSON as they came, to be passed on. */
export interface Description {
  sdp: string
  offerId: string
}

export interface SocketAnnounce {
  action: 'announce'
  /** Five words, good until the next message is parsed. */
  infoHash: Int32Array
  infoHashText: string
  /** 20 characters, one a byte. */
  peerId: string
  peerIdText: string
  event: number
  left: number
  uploaded: number
  downloaded: number
  offers: Description[]
  answer: (Description & { to: string }) | undefined
}

export interface SocketScrape {
  action: 'scrape'
  infoHashTexts: string[]
}

export type SocketMessage = SocketAnnounce | SocketScrape

const infoHash = new Int32Array(5)
const bytes = Buffer.alloc(20)

/**
 * One message of a WebTorrent client, each byte of its UTF-8 as one character. A peer's address is that of its socket,
 * never what it says. Throws `InvalidInputError`.
 */
export const parseWebSocket = (message: string): SocketMessage => {
  const json = new JsonText(message)
  const fields = new Fields()
  json.start()
  if (json.peek() !== 'object') refuse('the message must be a JSON object')
  json.object(0, (name) => fields.read(json, name))
  json.end()
  if (fields.infoHashes.length === 0) refuse('info_hash must be 20 bytes')
  if (fields.action === '"scrape"') return { action: 'scrape', infoHashTexts: fields.infoHashes }
  if (fields.action !== '"announce"') return refuse('action must be announce or scrape')
  const [infoHashText = '', ...more] = fields.infoHashes
  if (more.length > 0) refuse('an announce names one info_hash')
  decodeHash('peer_id', fields.peerId)
  const peerId = bytes.toString('latin1')
  const answer = fields.answer === undefined ? undefined : answerOf(fields, fields.answer)
  decodeHash('info_hash', infoHashText)
  wordsOf(bytes, 0, infoHash)
  const { event, left, uploaded, downloaded, offers, peerId: peerIdText } = fields
  return {
    action: 'announce',
    infoHash,
    infoHashText,
    peerId,
    peerIdText,
    event,
    left,
    uploaded,
    downloaded,
    offers,
    answer,
  }
}

/** The five words of an `info_hash` that came as JSON text. Throws `InvalidInputError`. */
export const infoHashOf = (text: string): Int32Array => {
  decodeHash('info_hash', text)
  wordsOf(bytes, 0, infoHash)
  return infoHash
}

const answerOf = ({ to, offerId }: Fields, sdp: string): Description & { to: string } => {
  if (offerId === '') refuse('an answer needs its offer_id')
  decodeHash('to_peer_id', to)
  return { sdp, offerId, to: bytes.toString('latin1') }
}

class Fields {
  action = ''
  infoHashes: string[] = []
  peerId = ''
  event: number = happened.update
  left = Number.NaN
  uploaded = Number.NaN
  downloaded = Number.NaN
  offers: Description[] = []
  answer: string | undefined
  to = ''
  offerId = ''

  read(json: JsonText, name: string): void {
    switch (name) {
      case '"action"':
        this.action = json.value(1)
        return
      case '"info_hash"':
        this.infoHashes = infoHashTexts(json)
        return
      case '"peer_id"':
        this.peerId = json.value(1)
        return
      case '"event"': {
        const word = json.value(1)
        this.event = word === 'null' ? happened.update : eventOf(plainText(word))
        return
      }
      case '"left"':
        this.left = amount(json.value(1))
        return
      case '"uploaded"':
        this.uploaded = amount(json.value(1))
        return
      case '"downloaded"':
        this.downloaded = amount(json.value(1))
        return
      case '"offers"':
        this.offers = offersOf(json)
        return
      case '"answer"':
        this.answer = json.peek() === 'object' ? descriptionOf(json, '"answer"', 1) : nothing(json, 'answer')
        return
      case '"to_peer_id"':
        this.to = json.value(1)
        return
      case '"offer_id"':
        this.offerId = json.peek() === 'string' ? offerIdOf(json) : (nothing(json, 'offer_id') ?? '')
        return
      default:
        json.value(1)
    }
  }
}

/** Bytes. JSON turns an unknown size (infinity) into null, which is not zero. */
const amount = (text: string): number => {
  const first = text.charCodeAt(0)
  const value = first >= 48 && first <= 57 ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : Number.NaN
}

/** A value that says that there is none. */
const nothing = (json: JsonText, name: string): undefined => {
  if (json.value(1) !== 'null') refuse(`${name} is of the wrong type`)
}

const infoHashTexts = (json: JsonText): string[] => {
  const texts: string[] = []
  const one = (): void => {
    if (texts.length === maxScrape) refuse(`at most ${maxScrape} info_hash values`)
    const text = json.value(2)
    decodeHash('info_hash', text)
    texts.push(text)
  }
  if (json.peek() === 'array') json.array(1, one)
  else one()
  return texts.length > 0 ? texts : refuse('info_hash must be 20 bytes')
}

const offersOf = (json: JsonText): Description[] => {
  const offers: Description[] = []
  if (json.peek() !== 'array') {
    nothing(json, 'offers')
    return offers
  }
  let count = 0
  json.array(1, () => {
    if (++count > maxOffersRead) refuse(`at most ${maxOffersRead} offers`)
    if (json.peek() !== 'object') refuse('an offer must be an object')
    let sdp = ''
    let offerId = ''
    json.object(2, (name) => {
      if (name === '"offer"') sdp = descriptionOf(json, '"offer"', 3)
      else if (name === '"offer_id"') offerId = offerIdOf(json)
      else json.value(3)
    })
    if (sdp === '' || offerId === '') refuse('an offer needs offer and offer_id')
    if (offers.length < maxOffers) offers.push({ sdp, offerId })
  })
  return offers
}

/** The `sdp` of `{type, sdp}`. */
const descriptionOf = (json: JsonText, type: string, depth: number): string => {
  let sdp = ''
  let given = ''
  if (json.peek() !== 'object') refuse(`${type.slice(1, -1)} must be an object`)
  json.object(depth, (name) => {
    const text = json.value(depth + 1)
    if (name === '"sdp"') sdp = text
    else if (name === '"type"') given = text
  })
  if (given !== type) refuse(`type must be ${type.slice(1, -1)}`)
  if (sdp.length < 3 || sdp.charCodeAt(0) !== 34) refuse('sdp must be a text')
  if (sdp.length > maxSdp) refuse(`sdp is longer than ${maxSdp} bytes`)
  return sdp
}

const offerIdOf = (json: JsonText): string => {
  const text = json.value(1)
  if (text.charCodeAt(0) !== 34 || text.length < 3 || text.length > maxOfferId) refuse('offer_id must be a short text')
  return text
}

const plainText = (text: string): string => (text.charCodeAt(0) === 34 ? text.slice(1, -1) : 'no text')

const escapes = new Map(
  Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(([name, code]) => [
    name.charCodeAt(0),
    code,
  ]),
)

/** A JSON string of 20 characters up to U+00FF, each of which is a byte, into `bytes`. */
const decodeHash = (name: string, text: string): void => {
  const wrong = `${name} must be 20 bytes`
  if (text.charCodeAt(0) !== 34) refuse(wrong)
  let length = 0
  for (let at = 1; at < text.length - 1; at++) {
    let code = text.charCodeAt(at)
    if (code === 92) {
      const escape = text.charCodeAt(++at)
      if (escape === 117) {
        code = Number.parseInt(text.slice(at + 1, at + 5), 16)
        at += 4
      } else code = escapes.get(escape) ?? 256
    } else if (code >= 0x80) {
      // Two bytes of UTF-8 reach U+07FF; those of a byte begin with C2 or C3.
      code = code === 0xc2 || code === 0xc3 ? ((code & 3) << 6) | (text.charCodeAt(++at) & 63) : 256
    }
    if (code > 255 || length === 20) refuse(wrong)
    bytes[length++] = code
  }
  if (length !== 20) refuse(wrong)
}

/** Why an announce was refused, in words of ASCII. */
export const refusalMessage = (reason: string, { infoHashText }: SocketAnnounce): string =>
  `{"action":"announce","failure reason":${JSON.stringify(reason)},"info_hash":${infoHashText}}`

/** An offer as another peer gets it; `sender` holds its peer id and the torrent as JSON. */
export const offerMessage = ({ sdp, offerId }: Description, sender: SocketAnnounce): string =>
  `{"action":"announce","offer":{"type":"offer","sdp":${sdp}},"offer_id":${offerId},"peer_id":${sender.peerIdText},"info_hash":${sender.infoHashText}}`

export const answerMessage = ({ sdp, offerId }: Description, sender: SocketAnnounce): string =>
  `{"action":"announce","answer":{"type":"answer","sdp":${sdp}},"offer_id":${offerId},"peer_id":${sender.peerIdText},"info_hash":${sender.infoHashText}}`
