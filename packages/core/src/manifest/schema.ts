import { z } from 'zod'
import { aboutSchema, accessSchema } from './details.ts'
import { infoHashSchema, mediaTypeSchema, nameSchema, pathSchema, sha256Schema } from './names.ts'

/** One file of an item. `path` is relative to the item's name; for a single-file item it equals the name. */
export const itemFileSchema = z.object({
  path: pathSchema,
  size: z.int().nonnegative(),
  sha256: sha256Schema,
  /** Media type, sniffed from the first bytes (RFC 6838). */
  type: mediaTypeSchema,
})
export type ItemFile = z.infer<typeof itemFileSchema>

const size = z.int().positive()
const milliseconds = z.int().nonnegative()

/** How many nodes should hold an item: below `min` is an alarm, `target` is what placement fills. */
export const replicasSchema = z
  .object({ min: z.int().min(1).max(64), target: z.int().min(1).max(64) })
  .refine(({ min, target }) => min <= target, 'min must not exceed target')
export type Replicas = z.infer<typeof replicasSchema>

/**
 * The signed description of one published item (kind `m`, at most 8 KB as an envelope). `files` holds as many as fit;
 * when some do not, `filesDigest` is the SHA-256 of the canonical full list. Times are milliseconds since 1970.
 */
export const manifestSchema = z.object({
  infoHash: infoHashSchema,
  name: nameSchema,
  size,
  pieceLength: z.int().min(16_384).max(16_777_216),
  files: z.array(itemFileSchema).max(200),
  filesDigest: sha256Schema.optional(),
  trackers: z.array(z.string().max(300)).max(20),
  replicas: replicasSchema,
  access: accessSchema,
  ...aboutSchema.shape,
  createdAt: milliseconds,
  state: z.enum(['live', 'retracted']),
  reason: z.string().max(200).optional(),
  purgeAfter: milliseconds.optional(),
})
export type Manifest = z.infer<typeof manifestSchema>
