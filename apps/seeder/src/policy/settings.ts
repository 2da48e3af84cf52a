import { infoHashSchema, nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'

const hot = { hot: true }
const atMost = (what: string) => z.int().min(0).default(0).describe(what).meta(hot)
const publishers = (what: string) =>
  z
    .array(nodeIdSchema.meta({ expected: 'a public key of 43 base64url characters' }))
    .max(1000)
    .default([])
    .describe(what)
    .meta(hot)

/** What copies of others' items this node takes. It says nothing of what is published here. */
export const policySettings = z.object({
  accept: publishers('Publishers (node ids) whose items are copied here; without any, those of all members.'),
  refuse: publishers('Publishers whose items are not copied here.'),
  maxItemBytes: atMost('Largest item that is copied here, in bytes; 0 is no limit.'),
  maxBytes: atMost('Most bytes of all items copied here, those published here not counted; 0 is no limit.'),
  types: z
    .array(
      z
        .string()
        .max(127)
        .regex(/^[\w.+-]+(?:\/[\w.+-]+)?$/)
        .meta({ expected: 'a media type such as audio/flac, or a kind such as audio' }),
    )
    .max(100)
    .default([])
    .describe('Media types (audio/flac) or kinds (audio) of which an item must have a file to be copied; none is all.')
    .meta(hot),
  tags: z
    .array(z.string().min(1).max(64))
    .max(100)
    .default([])
    .describe('Tags of which an item must have one to be copied; none is all.')
    .meta(hot),
  pinned: z
    .array(infoHashSchema.meta({ expected: 'an infohash of 40 hex digits' }))
    .max(10_000)
    .default([])
    .describe('Infohashes of items that are always held here, whatever placement and the other policies say.')
    .meta(hot),
})
export type PolicySettings = z.output<typeof policySettings>
