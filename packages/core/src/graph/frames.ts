import { z } from 'zod'
import { networkIdSchema, nodeIdSchema, signatureSchema } from '../identity/index.ts'
import { readGroup } from './souls.ts'

/** Most groups, souls and keys that one frame may carry. A page of values is also bounded by its bytes. */
export const frameLimits = { groups: 2000, buckets: 1024, souls: 256, keys: 6000, values: 2000 } as const

/** A digest of a group or bucket: SHA-256 as base64url, its first 22 characters (132 bits). */
const digestSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
/** Of one value, to tell apart two values signed for one time: its first 8 characters. */
const shortDigestSchema = z.string().regex(/^[A-Za-z0-9_-]{8}$/)
const nonceSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const groupSchema = z.string().refine((group) => {
  const { name } = readGroup(group)
  return name === 'owner' || nodeIdSchema.safeParse(name).success
}, 'must name a group')
const soulSchema = z.string().min(1).max(200)
const keySchema = z.string().min(1).max(200)
const timeSchema = z.int().positive()
const number = z.int().nonnegative()

const placeSchema = z.tuple([soulSchema, keySchema])

/** Opens the handshake: the dialling side first. The answer carries the proof over both nonces. */
const helloSchema = z.strictObject({
  en: z.literal('hello'),
  v: z.literal(1),
  network: networkIdSchema,
  id: nodeIdSchema,
  nonce: nonceSchema,
  proof: signatureSchema.optional(),
})
const proofSchema = z.strictObject({ en: z.literal('proof'), proof: signatureSchema })

/** What the sender holds: one digest per group. `last` ends a list that took several frames. */
const sumsSchema = z.strictObject({
  en: z.literal('sums'),
  sums: z.array(z.tuple([groupSchema, digestSchema])).max(frameLimits.groups),
  last: z.boolean(),
})

/** Asks for the other side's sums out of turn: the sender takes more now than when it refused some gossip. */
const askSumsSchema = z.strictObject({ en: z.literal('sums?') })

/** Asks for the known heartbeats, which sums do not cover; they come as gossip. */
const askBeatsSchema = z.strictObject({ en: z.literal('beats?') })

const askBucketsSchema = z.strictObject({ en: z.literal('buckets?'), n: number, group: groupSchema })
const bucketsSchema = z.strictObject({
  en: z.literal('buckets'),
  n: number,
  buckets: z.array(z.tuple([soulSchema, digestSchema])).max(frameLimits.buckets),
})

const askKeysSchema = z.strictObject({
  en: z.literal('keys?'),
  n: number,
  souls: z.array(soulSchema).min(1).max(frameLimits.souls),
  /** The key of the first soul after which to go on. */
  after: keySchema.optional(),
})
const keysSchema = z.strictObject({
  en: z.literal('keys'),
  n: number,
  keys: z
    .array(z.tuple([soulSchema, z.array(z.tuple([keySchema, timeSchema, shortDigestSchema])).max(frameLimits.keys)]))
    .max(frameLimits.souls),
  /** Where to go on; absent when all asked souls are answered. */
  next: placeSchema.optional(),
})

const askValuesSchema = z.strictObject({
  en: z.literal('values?'),
  n: number,
  values: z.array(placeSchema).min(1).max(frameLimits.values),
})
const valuesSchema = z.strictObject({
  en: z.literal('values'),
  n: number,
  values: z.array(z.tuple([soulSchema, keySchema, timeSchema, z.string().max(64 << 10)])).max(frameLimits.values),
  /** How many of the asked places this page has dealt with, missing ones included. */
  done: number,
})

/** A link frame: what nodes say to each other beside GUN. Stock GUN clients never see one. */
export const frameSchema = z.discriminatedUnion('en', [
  helloSchema,
  proofSchema,
  sumsSchema,
  askSumsSchema,
  askBeatsSchema,
  askBucketsSchema,
  bucketsSchema,
  askKeysSchema,
  keysSchema,
  askValuesSchema,
  valuesSchema,
])

export type Frame = z.infer<typeof frameSchema>
export type Hello = z.infer<typeof helloSchema>
export type Ask = Extract<Frame, { en: 'buckets?' | 'keys?' | 'values?' }>
export type Answer = Extract<Frame, { en: 'buckets' | 'keys' | 'values' }>
/** The frame that answers a question. */
export type AnswerTo<Question extends Ask['en']> = Question extends `${infer Name}?`
  ? Extract<Answer, { en: Name }>
  : never
