import {
  accessSchema,
  infoHashSchema,
  InvalidInputError,
  mediaDetailsSchema,
  mediaTypeSchema,
  nameSchema,
  type Replicas,
  replicasSchema,
  sha256Schema,
  tagsSchema,
} from '@eldernode/core'
import { z } from 'zod'
import type { Upload } from '../../publishing/index.ts'
import { EncryptionRequiredError } from '../errors.ts'

const digits = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)
const copies = z.union([z.int(), digits]).pipe(z.int().min(1).max(64))

/** In fields, queries and metadata a truth is a word; in JSON it is itself. */
const truth = z.union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform((word) => /^[t1]/.test(word))])

/** One text with commas, the same field several times, or a list in JSON. */
const list = (most: number) =>
  z.union([z.string(), z.array(z.string()).max(most)]).transform((value) => [...new Set([value].flat().flatMap(parts))])

const parts = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const time = z.union([
  z.int(),
  digits,
  z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time with its offset' })
    .transform((text) => Date.parse(text)),
])

const albumSchema = mediaDetailsSchema.shape.tracks.unwrap()
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' })
    return z.NEVER
  }
})

const readerName = /^(?:age1[02-9ac-hj-np-z]{58}|[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43})$/

/** age recipients (https://age-encryption.org/v1) and registered names; whether they are is seen when they are used. */
const readersSchema = z
  .array(z.string().regex(readerName, 'must be an age recipient (age1...), or a GUN SEA key that was registered'))
  .max(100)

/**
 * What a publisher says of an item besides its bytes: the fields of a form, the query of a `PUT`, the metadata of a tus
 * upload or a JSON body. Others are refused, so that a misspelt `encrypt` publishes nothing in the clear.
 */
export const itemOptionsSchema = z.strictObject({
  name: nameSchema.optional().describe("The item's name; else the file's, or the folder that all files share."),
  replicas: copies.optional().describe('How many nodes should hold it, 1 to 64.'),
  access: accessSchema
    .optional()
    .describe('public (the default); unlisted: whoever has the id; private: its readers, always encrypted.'),
  tags: list(32).pipe(tagsSchema).optional().describe('At most 32, by commas or repeated.'),
  expiresAt: time
    .pipe(z.int().positive())
    .optional()
    .describe('When the item is retracted by itself: ISO 8601, or milliseconds since 1970.'),
  encrypt: truth.optional().describe('Whether the bytes are encrypted (age v1) before they touch a disk.'),
  readers: list(100)
    .pipe(readersSchema)
    .optional()
    .describe('age recipients, or registered GUN SEA keys, who may read it besides its owner.'),
  title: mediaDetailsSchema.shape.title.describe('What a player shows as the title.'),
  artist: mediaDetailsSchema.shape.artist.describe('What a player shows as the artist.'),
  tracks: z
    .union([albumSchema, json.pipe(albumSchema)])
    .optional()
    .describe('The tracks of an album in their order, JSON: [{"path", "title"?, "durationMs"?}].'),
  type: mediaTypeSchema.optional().describe('The media type the publisher takes it for; it is sniffed all the same.'),
  sha256: z
    .string()
    .toLowerCase()
    .pipe(sha256Schema)
    .optional()
    .describe('Expected SHA-256 of the bytes sent, or of the canonical [path, size, sha256] list of several files.'),
  replaces: infoHashSchema.optional().describe('The infohash of the item that this one is published instead of.'),
})

/** As they were parsed. Times in milliseconds since 1970. */
export type ItemOptions = z.output<typeof itemOptionsSchema>

/** @throws InvalidInputError, which says of each field what is wrong with it; `what` names where they come from */
export function parseItemOptions(fields: unknown, what: string): ItemOptions {
  const parsed = itemOptionsSchema.safeParse(fields)
  if (!parsed.success) throw new InvalidInputError(`The ${what} is not valid: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

export interface Publisher {
  /** The caller's; '' for the operator. */
  owner: string
  /** How many copies the node makes of what says nothing of it. */
  replicas: Replicas
  now: number
}

/**
 * The upload that the options ask for.
 * @throws EncryptionRequiredError for a private item in the clear; InvalidInputError for what contradicts itself
 */
export function uploadOf(
  {
    name,
    replicas,
    access = 'public',
    tags,
    expiresAt,
    encrypt,
    readers,
    title,
    artist,
    tracks,
    type,
    sha256,
    replaces,
  }: ItemOptions,
  { owner, replicas: standard, now }: Publisher,
): Omit<Upload, 'signal'> {
  if (access === 'private' && encrypt === false) throw new EncryptionRequiredError()
  const encrypted = encrypt ?? access === 'private'
  if (readers !== undefined && !encrypted)
    throw new InvalidInputError('An item with readers is encrypted: add encrypt=true, or leave the readers out.')
  if (expiresAt !== undefined && expiresAt <= now) throw new InvalidInputError('expiresAt lies in the past.')
  const media = {
    ...(title !== undefined && { title }),
    ...(artist !== undefined && { artist }),
    ...(tracks && { tracks }),
  }
  return {
    ...(name !== undefined && { name }),
    owner,
    access,
    about: {
      ...(tags !== undefined && tags.length > 0 && { tags }),
      ...(expiresAt !== undefined && { expiresAt }),
      ...(replaces !== undefined && { replaces }),
      ...(Object.keys(media).length > 0 && { media }),
    },
    replicas: replicasSchema.parse({
      min: Math.min(standard.min, replicas ?? standard.min),
      target: replicas ?? standard.target,
    }),
    ...(encrypted && { encrypt: { readers: readers ?? [] } }),
    ...(type !== undefined && { declaredType: type }),
    ...(sha256 !== undefined && { sha256 }),
  }
}
