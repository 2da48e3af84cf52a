import { z } from 'zod'
import { trackerSchema } from '../config.ts'

const upgrade = z.object({
  webSocketKey: z.string(),
  path: z.string(),
  kind: z.literal([0, 1]),
  address: z.array(z.int()).length(4),
  isMember: z.boolean(),
})

/** A connection on its way to another worker; the connection itself comes along. */
const given = z.object({ is: z.literal('given'), shard: z.int(), upgrade, head: z.string() })

const hashes = z.instanceof(Int32Array).refine((words) => words.length % 5 === 0)

/** What the network lists, for those who keep its lists. */
const newsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('anew') }),
  z.object({
    kind: z.literal('changes'),
    changes: z.object({ added: hashes, removed: hashes, denied: hashes, lifted: hashes }),
  }),
  z.object({
    kind: z.literal('standing'),
    standing: z.object({
      links: z.int(),
      inStep: z.int(),
      member: z.boolean(),
      ready: z.boolean(),
      live: z.int(),
      denied: z.int(),
    }),
  }),
])

/** What the first process tells a worker. */
export const orderSchema = z.discriminatedUnion('is', [
  z.object({
    is: z.literal('begin'),
    settings: trackerSchema,
    own: z.int(),
    folder: z.string(),
    secret: z.array(z.int()).length(4),
  }),
  /** All are there: listen on this port. */
  z.object({ is: z.literal('open'), port: z.int() }),
  z.object({ is: z.literal('change'), settings: trackerSchema }),
  z.object({ is: z.literal('news'), news: newsSchema }),
  /** To be answered at once by `alive`. */
  z.object({ is: z.literal('ping') }),
  z.object({ is: z.literal('stop') }),
  given,
])
export type Order = z.infer<typeof orderSchema>

/** What a worker tells the first process. */
export const reportSchema = z.discriminatedUnion('is', [
  /** The others may come in. */
  z.object({ is: z.literal('joined') }),
  z.object({ is: z.literal('listening'), port: z.int() }),
  /** It cannot begin; the reason is for the operator, the code that of the error. */
  z.object({ is: z.literal('failed'), reason: z.string(), code: z.string() }),
  z.object({ is: z.literal('alive') }),
  /** It has taken on other settings, or says why not. */
  z.object({ is: z.literal('changed'), reason: z.string().optional() }),
  given,
])
export type Report = z.infer<typeof reportSchema>
export type News = z.infer<typeof newsSchema>
export type Given = z.infer<typeof given>
