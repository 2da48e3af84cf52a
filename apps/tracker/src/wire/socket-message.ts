import { type Answer, happened } from '../swarm/index.ts'

/** Offers of one announce that are passed on; the rest is dropped. */
export const maxOffers = 10

const descriptionWidth = 4

/**
 * One message of a WebTorrent client, filled again for each: good until the next one is read. What is passed on is told by
 * where it begins and ends in `bytes`, quotes included.
 */
export class SocketMessage {
  bytes: Buffer = Buffer.alloc(0)
  from = 0
  to = 0
  action: 'announce' | 'scrape' = 'announce'
  /** Five big-endian words. */
  readonly infoHash = new Int32Array(5)
  infoHashFrom = 0
  infoHashTo = 0
  /** Of a scrape: each as JSON, one character for each byte of its UTF-8. */
  infoHashTexts: string[] = []
  /** 20 bytes. */
  readonly peerId = Buffer.alloc(20)
  peerIdFrom = 0
  peerIdTo = 0
  event: number = happened.update
  /** Bytes; `NaN` when it does not say. */
  left = Number.NaN
  uploaded = Number.NaN
  downloaded = Number.NaN
  /** Offers, of which an answer has one: four words each, where its SDP and its id begin and end. */
  readonly descriptions = new Int32Array(maxOffers * descriptionWidth)
  offers = 0
  isAnswer = false
  /** Whose offer this answers. */
  readonly answered = Buffer.alloc(20)

  /** The whole message, one character for each byte. */
  get text(): string {
    return this.bytes.toString('latin1', this.from, this.to)
  }

  describe(which: number, sdpFrom: number, sdpTo: number, idFrom: number, idTo: number): void {
    const at = which * descriptionWidth
    this.descriptions[at] = sdpFrom
    this.descriptions[at + 1] = sdpTo
    this.descriptions[at + 2] = idFrom
    this.descriptions[at + 3] = idTo
  }

  idFrom(which: number): number {
    return this.descriptions[which * descriptionWidth + 2] as number
  }

  idTo(which: number): number {
    return this.descriptions[which * descriptionWidth + 3] as number
  }
}

const offerStart = Buffer.from('{"action":"announce","offer":{"type":"offer","sdp":')
const answerStart = Buffer.from('{"action":"announce","answer":{"type":"answer","sdp":')
const beforeId = Buffer.from('},"offer_id":')
const beforePeerId = Buffer.from(',"peer_id":')
const beforeInfoHash = Buffer.from(',"info_hash":')
const end = Buffer.from('}')

/** One of its offers as another peer gets it. @returns where it ends in `into` */
export const writeOffer = (message: SocketMessage, which: number, into: Buffer): number =>
  write(message, which, offerStart, into)

/** Its answer as the peer gets it that had offered. */
export const writeAnswer = (message: SocketMessage, into: Buffer): number => write(message, 0, answerStart, into)

const write = (message: SocketMessage, which: number, start: Buffer, into: Buffer): number => {
  const { bytes, descriptions } = message
  const from = which * descriptionWidth
  let at = put(start, 0, start.length, into, 0)
  at = put(bytes, descriptions[from] as number, descriptions[from + 1] as number, into, at)
  at = put(beforeId, 0, beforeId.length, into, at)
  at = put(bytes, descriptions[from + 2] as number, descriptions[from + 3] as number, into, at)
  at = put(beforePeerId, 0, beforePeerId.length, into, at)
  at = put(bytes, message.peerIdFrom, message.peerIdTo, into, at)
  at = put(beforeInfoHash, 0, beforeInfoHash.length, into, at)
  at = put(bytes, message.infoHashFrom, message.infoHashTo, into, at)
  return put(end, 0, end.length, into, at)
}

/** What the announcer itself is told. */
export const writeAcknowledgement = (
  { bytes, infoHashFrom, infoHashTo }: SocketMessage,
  { complete, incomplete }: Answer,
  seconds: number,
  into: Buffer,
): number => {
  const start = `{"complete":${complete},"incomplete":${incomplete},"action":"announce","interval":${seconds},"info_hash":`
  const at = put(bytes, infoHashFrom, infoHashTo, into, into.write(start, 0, 'latin1'))
  return put(end, 0, end.length, into, at)
}

/** What is short is copied here, what is long by the system's own means. */
const short = 100

const put = (bytes: Uint8Array, from: number, to: number, into: Buffer, start: number): number => {
  if (to - from > short) {
    into.set(bytes.subarray(from, to), start)
    return start + to - from
  }
  let at = start
  for (let i = from; i < to; i++) into[at++] = bytes[i] as number
  return at
}

/** Bytes of the longest message that is passed on: its SDP, and three texts of 20 bytes with each of them escaped. */
export const longestPassed = 17_408
