import { z } from 'zod'
import { BUCKET_ITEMS } from '../holdings/index.ts'
import { TAG_BYTES, tagPairs } from './tags.ts'

const tag = z.string().regex(/^[0-9a-f]{16}$/)

/** A holder tells of public items and of others in buckets of their own; a result speaks of both. */
const mostTags = 2 * BUCKET_ITEMS
/** Base64url characters of so many tags. */
const mostProven = Math.ceil((mostTags * TAG_BYTES * 4) / 3)

/** Open failures in one result; what is failed beyond them is just not proven. */
export const MOST_FAILURES = 100

/**
 * What an auditor found of one holder's bucket (kind `a`, key: the holder's id, a dot and the bucket).
 * Items go by their tag, the first 8 bytes of their infohash: enough to compare with, too little to fetch what is not public.
 */
export const auditResultSchema = z.object({
  /** Milliseconds since 1970 of the last audit that was passed; 0 when there was none. */
  passedAt: z.int().nonnegative(),
  /** The tags of all items that passed since the holder began to claim them, ascending, as base64url. */
  proven: z
    .string()
    .max(mostProven)
    .regex(/^[A-Za-z0-9_-]*$/)
    .refine((proven) => tagPairs(proven) !== undefined, 'must be whole tags, sorted and without repeats'),
  /** Audits that were failed and not yet passed: the piece that is asked for again, and since when. */
  failed: z
    .array(z.object({ tag, piece: z.int().nonnegative(), since: z.int().nonnegative() }))
    .max(MOST_FAILURES)
    .refine((failed) => failed.every((one, i) => i === 0 || failed[i - 1]!.tag < one.tag), 'must be sorted by tag'),
})
export type AuditResult = z.infer<typeof auditResultSchema>
export type AuditFailure = AuditResult['failed'][number]

/** What is known of a claim to hold an item. `unknown` is not healthy. */
export type Proof = 'proven' | 'failed' | 'unknown'
