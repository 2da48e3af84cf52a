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
