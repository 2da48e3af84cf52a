import { z } from 'zod'
import { infoHashSchema, mediaTypeSchema, pathSchema, sha256Schema } from './names.ts'

/**
 * Who may find and read an item. `public`: everybody; `unlisted`: whoever has its id; `private`: its owner and readers,
 * everything about it encrypted.
 */
export const accessSchema = z.enum(['public', 'unlisted', 'private'])
export type Access = z.infer<typeof accessSchema>

export const tagSchema = z
  .string()
  .min(1)
  .max(64)
  .refine((tag) => tag.isWellFormed() && !/\p{Cc}/u.test(tag), 'must be well-formed Unicode without control characters')
export const tagsSchema = z.array(tagSchema).max(32)

const text = z
  .string()
  .max(200)
  .refine((value) => value.isWellFormed(), 'must be well-formed Unicode')
const pixels = z.int().min(1).max(1_000_000)
const milliseconds = z.int().min(0).max(31_536_000_000)

/** What a player shows of an item; of an album, its tracks in the order they are played. */
export const mediaDetailsSchema = z.object({
  title: text.optional(),
  artist: text.optional(),
  width: pixels.optional(),
  height: pixels.optional(),
  durationMs: milliseconds.optional(),
  codecs: z.array(z.string().max(32)).max(8).optional(),
  tracks: z
    .array(z.object({ path: pathSchema, title: text.optional(), durationMs: milliseconds.optional() }))
    .max(100)
    .optional(),
})
export type MediaDetails = z.infer<typeof mediaDetailsSchema>

/** A small item of its own that stands for another: its infohash, and what it shows. */
export const previewSchema = z.object({
  kind: z.enum(['thumbnail', 'cover', 'audio']),
  infoHash: infoHashSchema,
  sha256: sha256Schema,
  size: z.int().positive(),
  type: mediaTypeSchema,
})
export type Preview = z.infer<typeof previewSchema>

/**
 * The item's bytes are age v1 files (https://age-encryption.org/v1) for `recipient`, the item's own. `sealed` is an age
 * file for the same recipient, base64, with the canonical JSON of what the manifest of a private item leaves out.
 */
export const encryptionSchema = z.object({
  format: z.literal('age'),
  recipient: z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/),
  sealed: z.base64().max(4096).optional(),
})
export type Encryption = z.infer<typeof encryptionSchema>

/** Where else the same bytes are. */
export const addressesSchema = z.object({
  ipfs: z.string().max(200).optional(),
  arweave: z.string().max(200).optional(),
  http: z
    .array(z.url({ protocol: /^https?$/ }).max(300))
    .max(4)
    .optional(),
})
export type Addresses = z.infer<typeof addressesSchema>

/** What a manifest may say of an item beyond its bytes. */
export const aboutSchema = z.object({
  tags: tagsSchema.optional(),
  expiresAt: z.int().nonnegative().optional(),
  replaces: infoHashSchema.optional(),
  media: mediaDetailsSchema.optional(),
  previews: z.array(previewSchema).max(4).optional(),
  previewOf: infoHashSchema.optional(),
  encryption: encryptionSchema.optional(),
  addresses: addressesSchema.optional(),
})
/**
 * `expiresAt` in milliseconds since 1970: the item is retracted then. `replaces`: the infohash it is published instead
 * of. `previewOf`: the infohash it is a preview of, with which it lives and goes.
 */
export type About = z.infer<typeof aboutSchema>
