import { z } from 'zod'
import { binaryHash, eventOf, leftOf, maxScrape, refuse, type Announce, type Scrape } from './announce.ts'

/** Offers of one announce that are passed on; the rest is dropped. */
const maxOffers = 10

/** Bytes of one WebSocket message: ten offers fit. */
export const maxMessage = 64 * 1024

const sdp = z.string().min(1).max(16_384)
const offerId = z.string().min(1).max(64)
const offerSchema = z.object({ offer: z.object({ type: z.literal('offer'), sdp }), offer_id: offerId })
const answerSchema = z.object({ type: z.literal('answer'), sdp })

const messageSchema = z.object({
  action: z.enum(['announce', 'scrape']),
  info_hash: z.union([z.string(), z.array(z.string()).min(1).max(maxScrape)]),
  peer_id: z.string().optional(),
  event: z.string().nullish(),
  left: z.unknown().optional(),
  offers: z
    .array(z.unknown())
    .max(100)
    .nullish()
    .transform((offers) => (offers ?? []).slice(0, maxOffers))
    .pipe(z.array(offerSchema)),
  answer: answerSchema.nullish(),
  to_peer_id: z.string().nullish(),
  offer_id: offerId.nullish(),
})

export interface WebSocketAnnounce extends Announce {
  offers: z.infer<typeof offerSchema>[]
  answer: { to: string; offerId: string; answer: z.infer<typeof answerSchema> } | undefined
}

export type WebSocketRequest = ({ action: 'announce' } & WebSocketAnnounce) | ({ action: 'scrape' } & Scrape)

/** One message of a WebTorrent client. A peer's address is that of its socket, never what it says. */
export const parseWebSocket = (text: string): WebSocketRequest => {
  const parsed = messageSchema.safeParse(parseJson(text))
  if (!parsed.success) return refuse(`the message is wrong: ${z.prettifyError(parsed.error).slice(0, 300)}`)
  const message = parsed.data
  if (message.action === 'scrape') {
    const list = Array.isArray(message.info_hash) ? message.info_hash : [message.info_hash]
    return { action: 'scrape', infoHashes: list.map((one) => binaryHash('info_hash', one)) }
  }
  return {
    action: 'announce',
    infoHash: binaryHash('info_hash', message.info_hash),
    peerId: binaryHash('peer_id', message.peer_id),
    event: eventOf(message.event),
    // JSON turns an unknown size (infinity) into null, which is not zero.
    left: typeof message.left === 'number' ? leftOf(message.left) : undefined,
    offers: message.offers,
    answer: message.answer
      ? {
          answer: message.answer,
          to: binaryHash('to_peer_id', message.to_peer_id),
          offerId: message.offer_id ?? refuse('an answer needs its offer_id'),
        }
      : undefined,
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return refuse('the message is no JSON')
  }
}

const binary = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')

/** A checked message as the engine reads it. */
export const engineMessage = (request: WebSocketRequest): string => {
  if (request.action === 'scrape')
    return JSON.stringify({ action: 'scrape', info_hash: request.infoHashes.map(binary) })
  const { infoHash, peerId, event, left, offers, answer } = request
  return JSON.stringify({
    action: 'announce',
    info_hash: binary(infoHash),
    peer_id: binary(peerId),
    event,
    // Any word that is no number means unknown there.
    left: left ?? 'unknown',
    ...(answer ? { answer: answer.answer, to_peer_id: binary(answer.to), offer_id: answer.offerId } : { offers }),
  })
}
