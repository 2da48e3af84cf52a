import { z } from 'zod'

/** An infohash: SHA-1 of the bencoded info dictionary (BEP 3), 40 lower-case hex digits. */
export const infoHashSchema = z.string().regex(/^[0-9a-f]{40}$/)

/** A SHA-256 of stored bytes, 64 lower-case hex digits. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

const unsafePart = /^\.{0,2}$|[\p{Cc}/\\]/u

/** One file or folder name as BEP 3 stores it: not empty, no separator, no `.` or `..`, no control character, at most 255 bytes. */
export const nameSchema = z
  .string()
  .max(255)
  .refine(
    (name) => !unsafePart.test(name),
    'must be a plain name: not empty, "." or "..", no "/", "\\" or control character',
  )
  .refine((name) => new TextEncoder().encode(name).length <= 255, 'must be at most 255 bytes of UTF-8')
  .refine((name) => name.isWellFormed(), 'must be well-formed Unicode')

/** A file's path inside its item: names joined by `/`, at most 32 deep and 1,024 characters. */
export const pathSchema = z
  .string()
  .max(1024)
  .refine((path) => path.split('/').length <= 32, 'must be at most 32 folders deep')
  .refine(
    (path) => path.split('/').every((part) => nameSchema.safeParse(part).success),
    'must be plain names joined by "/"',
  )

/** A media type without parameters (RFC 6838), in lower case: it goes into headers and decides what a browser may run. */
export const mediaTypeSchema = z
  .string()
  .max(127)
  .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/)

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
  access: z.enum(['public', 'unlisted', 'private']),
  tags: z.array(z.string().min(1).max(64)).max(32).optional(),
  expiresAt: milliseconds.optional(),
  replaces: infoHashSchema.optional(),
  createdAt: milliseconds,
  state: z.enum(['live', 'retracted']),
  reason: z.string().max(200).optional(),
  purgeAfter: milliseconds.optional(),
})
export type Manifest = z.infer<typeof manifestSchema>
