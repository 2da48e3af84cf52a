import { z } from 'zod'
import { answerSchema, offerSchema } from '../webrtc/sdp.ts'

/** 20 bytes, one per character, as WebTorrent trackers write hashes and ids in JSON. */
const binary = z
  .string()
  .length(20)
  .refine((value) => Buffer.from(value, 'latin1').toString('latin1') === value, 'must be bytes')

/** Nonsense in what is only advice does not spoil the rest. */
const number = z.number().optional().catch(undefined)
const words = z.string().optional().catch(undefined)

const messageSchema = z.object({
  action: z.literal('announce'),
  /** Absent where a tracker did not even understand what it refuses. */
  info_hash: binary.optional(),
  peer_id: binary.optional(),
  offer_id: z.string().max(64).optional(),
  offer: offerSchema.optional(),
  answer: answerSchema.optional(),
  interval: number,
  'min interval': number,
  'failure reason': words,
  'retry in': z.union([z.number(), z.string()]).optional().catch(undefined),
  'warning message': words,
  'warning reason': words,
  'tracker id': z.string().max(256).optional().catch(undefined),
})

export type TrackerMessage = z.infer<typeof messageSchema>

/** A tracker's message; undefined for anything else. */
export function trackerMessage(data: Buffer): TrackerMessage | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(data.toString('utf8'))).data
  } catch {
    return undefined
  }
}

export function toLatin1(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}

export function toHex(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('hex')
}
