import { z } from 'zod'
import { BUCKET_ITEMS } from '../holdings/index.ts'

const tag = z.string().regex(/^[0-9a-f]{16}$/)

/** Base64url characters of so many tags of 8 bytes each. */
const mostProven = Math.ceil((BUCKET_ITEMS * 8 * 4) / 3)

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
    .regex(/^[A-Za-z0-9_-]*$/),
  /** Audits that were failed and not yet passed: the piece that is asked for again, and since when. At most 100. */
  failed: z.array(z.object({ tag, piece: z.int().nonnegative(), since: z.int().nonnegative() })).max(100),
})
export type AuditResult = z.infer<typeof auditResultSchema>

/** What is known of a claim to hold an item. `unknown` is not healthy. */
export type Proof = 'proven' | 'failed' | 'unknown'
