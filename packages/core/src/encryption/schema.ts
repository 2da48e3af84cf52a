import { bech32 } from '@scure/base'
import { z } from 'zod'
import {
  infoHashSchema,
  mediaDetailsSchema,
  mediaTypeSchema,
  nameSchema,
  pathSchema,
  previewSchema,
  tagsSchema,
} from '../manifest/index.ts'

/** An age X25519 recipient, `age1...`, with its checksum. */
export const recipientSchema = z
  .string()
  .max(62)
  .regex(/^age1[02-9ac-hj-np-z]{58}$/)
  .refine((text) => keyOf(text) !== undefined, 'must be an age recipient whose checksum is right')

/** The 32 bytes of an X25519 public key. */
export function recipientKey(recipient: string): Uint8Array {
  return keyOf(recipientSchema.parse(recipient)) ?? new Uint8Array()
}

function keyOf(text: string): Uint8Array | undefined {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(text)
    return prefix === 'age' && bytes.length === 32 ? bytes : undefined
  } catch {
    return undefined
  }
}

/**
 * What lets one reader open an encrypted item (kind `g`), signed by the item's publisher. `reader` is the first 16 bytes
 * of SHA-256(infohash ‖ X25519 public key) in hex; `wrapped` an age file for that recipient, base64, whose content is the
 * item's own identity (`AGE-SECRET-KEY-1...`). Without it the reader was removed.
 */
export const grantSchema = z.object({
  infoHash: infoHashSchema,
  reader: z.string().regex(/^[0-9a-f]{32}$/),
  wrapped: z.base64().max(1024).optional(),
})
export type Grant = z.infer<typeof grantSchema>

const sealedFileSchema = z.object({ path: pathSchema, type: mediaTypeSchema, size: z.int().positive() })
export type SealedFile = z.infer<typeof sealedFileSchema>

/**
 * What the manifest of an encrypted item says of its plaintext to who has the item's identity. `files` are in item order;
 * when `index` is set some are left out, and the item's last stored file is an age file of them all, as canonical JSON.
 */
export const descriptionSchema = z.object({
  name: nameSchema,
  tags: tagsSchema.optional(),
  media: mediaDetailsSchema.optional(),
  previews: z.array(previewSchema).max(4).optional(),
  files: z.array(sealedFileSchema).max(10_000),
  index: z.literal(true).optional(),
})
export type Description = z.infer<typeof descriptionSchema>

export const fileIndexSchema = z.array(sealedFileSchema).min(1).max(10_000)
